//! The messages before they are signed, and the example's zone.

/// Report A: a Teams meeting invitation, sent on behalf of a group.
pub fn teams() -> Vec<u8> {
    crlf(
        "From: Teamname <Teamname@netatwork.onmicrosoft.com>
Sender: \"Organisator\" <User@Netatwork.de>
To: \"Organisator\" <User@Netatwork.de>, guest@gast.example,
 Teamname <Teamname@netatwork.onmicrosoft.com>
Subject: Besprechung
Date: Thu, 24 Sep 2020 11:19:12 +0000
Message-ID: <AM0PR06MB4321.1@AM0PR06MB4321.eurprd06.prod.outlook.com>
Content-Type: text/plain; charset=\"utf-8\"
MIME-Version: 1.0
X-MS-Exchange-SenderADCheck: 1

Die Besprechung findet in Teams statt.

Am Treffen teilnehmen: https://teams.example/l/meetup-join/1
",
    )
}

/// Report B: mail to a list, as its author sent it and as the list sends it on.
pub fn list() -> Vec<u8> {
    crlf(
        "From: \"UserA\" <userA@firma-a.tld>
To: \"Mailinglist\" <Mailinglist@firma-b.tld>
Subject: Angebot
Date: Tue, 16 May 2023 08:59:31 +0000
Message-ID: <20230516085931.1@mx.firma-a.tld>
Content-Type: text/plain; charset=\"utf-8\"
MIME-Version: 1.0
X-MS-Exchange-SenderADCheck: 0

Hallo zusammen,

anbei das Angebot.  Bitte bis Freitag antworten.

UserA
",
    )
}

/// What a list appends.
pub const FOOTER: &[u8] = b"-- \r\nVerteiler von Firma B, abbestellen: verteiler@firma-b.tld\r\n";

/// The message with the first occurrence of a text replaced, as a host on the way would.
pub fn replaced(message: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = String::from_utf8_lossy(message);
    text.replacen(from, to, 1).into_bytes()
}

/// What Exchange Online found when report A's mail was sent.
pub const TEAMS_RESULTS: &str = "mx.microsoft.com 1; spf=pass smtp.mailfrom=netatwork.de; dmarc=pass \
    action=none\r\n header.from=netatwork.onmicrosoft.com; dkim=pass \
    header.d=netatwork.onmicrosoft.com; arc=none";

/// What it found when report B's mail came to the list.
pub const LIST_RESULTS: &str = "mx.microsoft.com 1; spf=pass (sender ip is 192.0.2.10)\r\n \
    smtp.rcpttodomain=firma-b.tld smtp.mailfrom=firma-a.tld; dmarc=pass (p=reject sp=reject\r\n \
    pct=100) action=none header.from=firma-a.tld; dkim=none (message not signed);\r\n \
    arc=none (0)";

fn crlf(text: &str) -> Vec<u8> {
    text.replace('\n', "\r\n").into_bytes()
}

/// What a receiver finds in the DNS when report B's mail arrives.
pub const EXAMPLE_ZONE: &str = "\
; The author's domain asks to reject what it does not authenticate, and does not sign.
firma-a.tld.                TXT \"v=spf1 ip4:192.0.2.10 -all\"
_dmarc.firma-a.tld.         TXT \"v=DMARC1; p=reject; rua=mailto:dmarc@firma-a.tld\"

; The list's domain sends through Exchange Online, which signs with its own name.
firma-b.tld.                TXT \"v=spf1 include:spf.protection.outlook.com -all\"
spf.protection.outlook.com. TXT \"v=spf1 ip4:104.47.0.0/17 ip4:52.96.0.0/12 -all\"
";
