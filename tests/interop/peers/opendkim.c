/* OpenDKIM's library over folders: can | sign FOLDER-OF-KEYS IN OUT | verify FILE-OF-RECORDS IN */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include <opendkim/dkim.h>

static const char *fields[] = {
    "from", "to", "subject", "date", "message-id", "comments", "x-repeated", "content-type", "x-long",
    "x-empty", "x-blank", "x-colon", "x-utf-8", "references", NULL,
};
static const char *oversigned[] = {
    "from", "to", "subject", "date", "comments", "x-repeated", "x-blank", "x-absent", NULL,
};
static const char *records;

static void die(const char *what)
{
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static char *read_file(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        die(path);
    fseek(file, 0, SEEK_END);
    *length = (size_t)ftell(file);
    rewind(file);
    char *text = malloc(*length + 1);
    if (!text || fread(text, 1, *length, file) != *length)
        die(path);
    text[*length] = 0;
    fclose(file);
    return text;
}

/* Lines of a name, a blank and a text. */
static DKIM_CBSTAT look_up(DKIM *dkim, DKIM_SIGINFO *signature, u_char *buffer, size_t size)
{
    (void)dkim;
    char name[512];
    int length = snprintf(name, sizeof name, "%s._domainkey.%s ", dkim_sig_getselector(signature),
                          dkim_sig_getdomain(signature));
    for (const char *line = records; *line;) {
        size_t end = strcspn(line, "\n");
        if (strncmp(line, name, (size_t)length) == 0) {
            snprintf((char *)buffer, size, "%.*s", (int)end - length, line + length);
            return DKIM_CBSTAT_CONTINUE;
        }
        line += end + (line[end] != 0);
    }
    return DKIM_CBSTAT_NOTFOUND;
}

static DKIM_STAT feed(DKIM *dkim, char *mail, size_t length)
{
    DKIM_STAT status = dkim_chunk(dkim, (u_char *)mail, length);
    if (status == DKIM_STAT_OK)
        status = dkim_chunk(dkim, NULL, 0);
    return status == DKIM_STAT_OK ? dkim_eom(dkim, NULL) : status;
}

static void sign(DKIM_LIB *library, int is_ed25519, const char *key, char *mail, size_t length,
                 const char *out, const char *name, const char *list)
{
    static const char *words[] = {"simple", "relaxed"};
    const char *algorithm = is_ed25519 ? "ed25519" : "rsa";
    for (int pair = 0; pair < 4; pair++) {
        DKIM_STAT status;
        DKIM *dkim = dkim_sign(library, (u_char *)"job", NULL, (dkim_sigkey_t)key,
                               (u_char *)algorithm, (u_char *)"interop.example", pair / 2, pair % 2,
                               is_ed25519 ? DKIM_SIGN_ED25519SHA256 : DKIM_SIGN_RSASHA256, -1, &status);
        u_char *field;
        size_t size;
        if (!dkim || feed(dkim, mail, length) != DKIM_STAT_OK
            || dkim_getsighdr_d(dkim, strlen("DKIM-Signature: "), &field, &size) != DKIM_STAT_OK)
            die(dkim ? dkim_geterror(dkim) : "cannot sign");
        char path[1024];
        snprintf(path, sizeof path, "%s/%.*s.%s.%s-%s.%s.eml", out, (int)strlen(name) - 4, name,
                 algorithm, words[pair / 2], words[pair % 2], list);
        FILE *file = fopen(path, "wb");
        if (!file)
            die(path);
        fputs("DKIM-Signature: ", file);
        /* The field comes with bare line feeds unless the library was built otherwise. */
        for (size_t at = 0; at < size; at++) {
            if (field[at] == '\n' && (at == 0 || field[at - 1] != '\r'))
                fputc('\r', file);
            fputc(field[at], file);
        }
        fputs("\r\n", file);
        fwrite(mail, 1, length, file);
        if (fclose(file) != 0)
            die(path);
        dkim_free(dkim);
    }
}

static void verify(DKIM_LIB *library, char *mail, size_t length, const char *name)
{
    DKIM_STAT status;
    DKIM *dkim = dkim_verify(library, (u_char *)"job", NULL, &status);
    if (!dkim)
        die("cannot verify");
    feed(dkim, mail, length);
    printf("%.*s", (int)strlen(name) - 4, name);
    DKIM_SIGINFO **signatures;
    int count = 0;
    if (dkim_getsiglist(dkim, &signatures, &count) != DKIM_STAT_OK)
        count = 0;
    for (int at = 0; at < count; at++) {
        /* The library stops at the first that passes. */
        if (!(dkim_sig_getflags(signatures[at]) & DKIM_SIGFLAG_PROCESSED))
            dkim_sig_process(dkim, signatures[at]);
        printf(DKIM_SIG_CHECK(signatures[at]) ? " pass" : " fail:%d",
               dkim_sig_geterror(signatures[at]));
    }
    putchar('\n');
    dkim_free(dkim);
}

int main(int count, char **words)
{
    DKIM_LIB *plain = dkim_init(NULL, NULL), *more = dkim_init(NULL, NULL);
    if (!plain || !more || count < 2)
        die("can | sign KEYS IN OUT | verify RECORDS IN");
    u_int flags = DKIM_LIBFLAGS_FIXCRLF; /* else a body must end in CRLF */
    dkim_options(plain, DKIM_OP_SETOPT, DKIM_OPTS_FLAGS, &flags, sizeof flags);
    dkim_options(more, DKIM_OP_SETOPT, DKIM_OPTS_FLAGS, &flags, sizeof flags);
    int algorithms = dkim_libfeature(plain, DKIM_FEATURE_ED25519) ? 2 : 1;
    if (strcmp(words[1], "can") == 0) {
        puts(algorithms == 2 ? "rsa ed25519" : "rsa");
        return 0;
    }
    int signing = strcmp(words[1], "sign") == 0;
    size_t length;
    char *keys[2];
    if (signing) {
        for (int at = 0; at < algorithms; at++) {
            char path[1024];
            snprintf(path, sizeof path, "%s/%s.pem", words[2], at ? "ed25519" : "rsa");
            keys[at] = read_file(path, &length);
        }
        dkim_options(more, DKIM_OP_SETOPT, DKIM_OPTS_SIGNHDRS, fields, sizeof(u_char **));
        dkim_options(more, DKIM_OP_SETOPT, DKIM_OPTS_OVERSIGNHDRS, oversigned, sizeof(u_char **));
    } else {
        records = read_file(words[2], &length);
        dkim_set_key_lookup(plain, look_up);
    }
    struct dirent **entries;
    int found = scandir(words[3], &entries, NULL, alphasort);
    for (int entry = 0; entry < found; entry++) {
        const char *name = entries[entry]->d_name;
        if (name[0] == '.')
            continue;
        char path[1024];
        snprintf(path, sizeof path, "%s/%s", words[3], name);
        char *mail = read_file(path, &length);
        if (signing) {
            for (int at = 0; at < algorithms; at++) {
                sign(plain, at, keys[at], mail, length, words[4], name, "default");
                sign(more, at, keys[at], mail, length, words[4], name, "more");
            }
        } else {
            verify(plain, mail, length, name);
        }
        free(mail);
    }
    dkim_close(plain);
    dkim_close(more);
    return 0;
}
