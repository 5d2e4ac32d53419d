//! Messages to sign and check.

/// A header block as large providers write it, without the empty line.
pub const HEADER: &str = "\
Received: from mail-sor-f41.example.com (mail-sor-f41.example.com [192.0.2.41])\r
        by mx.example.net with SMTPS id d9443c01a7336-2a0b7c1d2e3sor12345678plb.4.2026.11.21.03.04.05\r
        for <bob@example.net>\r
        (version=TLS1_3 cipher=TLS_AES_128_GCM_SHA256 bits=128/128);\r
        Sat, 21 Nov 2026 03:04:05 -0800 (PST)\r
Received: by 2002:a17:90b:1c0e:b0:343:7714:4caa with SMTP id\r
        oc14-20020a17090b1c0e00b0034377144caamr1234567pjb.12.1795230245000; Sat, 21 Nov 2026\r
        03:04:05 -0800 (PST)\r
MIME-Version: 1.0\r
From: =?UTF-8?Q?Alice_Sch=C3=B6n?= <alice@example.com>\r
Date: Sat, 21 Nov 2026 12:04:05 +0100\r
X-Gm-Features: ATxdqUE1PzX0wNn0m9aZ8kfPq8HjQ3J2cJ1b0y7Q2mW7nq0m3Zr4t5u6v7w8x9y\r
Message-ID: <CAHk-=wgQ1kX0a9ZpB7rT3m2Lw8VYc6d5e4f3g2h1@mail.example.com>\r
Subject: Minutes of yesterday's meeting, and what is to be done until the next one\r
To: Bob Example <bob@example.net>, Carol Example <carol@example.net>\r
Cc: Dave Example <dave@example.org>\r
References: <20261120101112.12345@mx.example.net> <CAHk-=wh0a9ZpB7r@mail.example.com>\r
In-Reply-To: <20261120101112.12345@mx.example.net>\r
Content-Type: multipart/alternative; boundary=\"000000000000a1b2c306421f0e9d\"\r
";

/// Numbers that are the same on every run.
struct Numbers(u32);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        usize::try_from(self.0 >> 8).unwrap() % bound
    }
}

/// A body of about `size` octets: `text`, `html`, `base64`, or `mixed` of them.
pub fn body(kind: &str, size: usize) -> Vec<u8> {
    let mut numbers = Numbers(1);
    let mut out = Vec::with_capacity(size + 200);
    while out.len() < size {
        match kind {
            "text" => paragraph(&mut numbers, &mut out),
            "html" => markup(&mut numbers, &mut out),
            "mixed" if out.len() % 4_096 < 1_024 => paragraph(&mut numbers, &mut out),
            "mixed" if out.len() % 4_096 < 2_048 => markup(&mut numbers, &mut out),
            _ => {
                for _ in 0..76 {
                    out.push(ALPHABET[numbers.below(64)]);
                }
                out.extend_from_slice(b"\r\n");
            }
        }
    }
    out.truncate(size);
    out.extend_from_slice(b"\r\n");
    out
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn word(numbers: &mut Numbers, out: &mut Vec<u8>) {
    for _ in 0..2 + numbers.below(8) {
        out.push(b'a' + u8::try_from(numbers.below(26)).unwrap());
    }
}

/// Lines of about 70 characters, a blank line now and then.
fn paragraph(numbers: &mut Numbers, out: &mut Vec<u8>) {
    for _ in 0..3 + numbers.below(6) {
        let start = out.len();
        while out.len() < start + 64 {
            word(numbers, out);
            out.push(b' ');
        }
        out.pop();
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"\r\n");
}

/// Elements indented by two spaces for each level, some by a tab, with attributes and short text.
fn markup(numbers: &mut Numbers, out: &mut Vec<u8>) {
    let depth = 2 + numbers.below(8);
    for level in 0..depth {
        indent(numbers, level, out);
        out.extend_from_slice(b"<td style=\"padding: 0; margin: 0\" class=\"");
        word(numbers, out);
        out.extend_from_slice(b"\">\r\n");
    }
    indent(numbers, depth, out);
    for _ in 0..3 + numbers.below(12) {
        word(numbers, out);
        out.push(b' ');
    }
    out.extend_from_slice(b"\r\n");
    for level in (0..depth).rev() {
        indent(numbers, level, out);
        out.extend_from_slice(b"</td>\r\n");
    }
}

fn indent(numbers: &mut Numbers, level: usize, out: &mut Vec<u8>) {
    if numbers.below(10) == 0 {
        out.push(b'\t');
    }
    out.extend(std::iter::repeat_n(b' ', level * 2));
}
