"""pyspf: a line of JSON in, with the client, both identities and the DNS, a result word out."""
import json, sys
import spf


def answers(lines):
    records, fails = {}, set()
    for kind, name, *data in lines:
        if kind == "FAILS":
            fails.add(name)
        else:
            data = tuple(data[0]) if kind == "MX" else data[0]
            data = [data.encode()] if kind == "TXT" else data
            records.setdefault((name, kind), []).append(data)

    def look_up(name, kind, strict=True, timeout=20):
        if name in fails:
            raise spf.TempError("DNS fails")
        return [((name, kind), data) for data in records.get((name, kind), [])]

    return look_up


for line in sys.stdin:
    case = json.loads(line)
    spf.DNSLookup = answers(case["dns"])
    try:
        query = spf.query(i=case["client"], s=case["sender"], h=case["helo"], receiver="unknown")
        result = query.check()
    except Exception as error:
        result = ["raised " + type(error).__name__, 0, str(error)]
    print(json.dumps([result[0], str(result[2])]), flush=True)
