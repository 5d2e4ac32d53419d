"""dkimpy over folders: can | sign FOLDER-OF-KEYS IN OUT | verify FILE-OF-RECORDS IN"""
import base64, os, subprocess, sys
import dkim

FIELDS = [b"from", b"to", b"subject", b"date", b"message-id", b"x-repeated", b"x-repeated",
          b"content-type", b"x-long", b"x-empty", b"x-blank", b"x-colon", b"x-utf-8", b"references"]


def messages(folder):
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), "rb") as file:
            yield name.removesuffix(".eml"), file.read()


def algorithms():
    try:
        import nacl.signing
        return ["rsa", "ed25519"]
    except ImportError:
        return ["rsa"]


def private_key(folder, algorithm):
    path = os.path.join(folder, algorithm + ".pem")
    if algorithm == "rsa":
        return open(path, "rb").read()
    # dkimpy wants the bare seed, which PKCS #8 has at its end.
    der = subprocess.run(["openssl", "pkey", "-in", path, "-outform", "DER"], capture_output=True, check=True)
    return base64.b64encode(der.stdout[-32:])


def sign(keys, folder, out):
    for algorithm in algorithms():
        key = private_key(keys, algorithm)
        for name, mail in messages(folder):
            for header in ("simple", "relaxed"):
                for body in ("simple", "relaxed"):
                    for fields, chosen in ("default", None), ("fields", FIELDS), \
                            ("more", FIELDS + [b"from", b"x-repeated", b"x-repeated", b"x-absent"]):
                        signature = dkim.sign(
                            mail, algorithm.encode(), b"interop.example", key,
                            canonicalize=(header.encode(), body.encode()), include_headers=chosen,
                            signature_algorithm=algorithm.encode() + b"-sha256")
                        path = f"{name}.{algorithm}.{header}-{body}.{fields}.eml"
                        with open(os.path.join(out, path), "wb") as file:
                            file.write(signature + mail)


def verify(records, folder):
    with open(records) as file:
        records = dict(line.rstrip("\n").split(" ", 1) for line in file)

    def lookup(name, timeout=5):
        return records.get(name.decode().rstrip("."), "").encode()

    for name, mail in messages(folder):
        words = [name]
        # Some malformed input raises what is no error of its own.
        try:
            checked = dkim.DKIM(mail)
        except Exception as error:
            print(name, "error:" + type(error).__name__)
            continue
        count = sum(field.lower() == b"dkim-signature" for field, _ in checked.headers)
        for index in range(count):
            try:
                passed = dkim.DKIM(mail).verify(index, dnsfunc=lookup)
                words.append("pass" if passed else "fail")
            except Exception as error:
                words.append("error:" + type(error).__name__)
        print(*words)


if sys.argv[1] == "can":
    print(*algorithms())
elif sys.argv[1] == "sign":
    sign(*sys.argv[2:])
else:
    verify(*sys.argv[2:])
