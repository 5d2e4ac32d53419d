"""authres: a line of JSON with a field's value in, what it reads out: null, or what is in the field."""
import json, os, re, sys
sys.path.remove(os.path.dirname(os.path.abspath(__file__)))
import authres, authres.core


class Strict(authres.core.AuthenticationResultsHeader):
    """Refuses a property that it cannot read, instead of skipping it without a word."""

    def __init__(self, *arguments, **named):
        super().__init__(*arguments, strict=True, **named)


def result(one):
    if one is Strict.NONE_RESULT:
        return ["none"]
    properties = [[each.type, each.name, str(each.value or "")] for each in one.properties]
    return [one.method, int(one.version or 1), one.result, one.reason, properties]


for line in sys.stdin:
    try:
        # It wants the field unfolded.
        value = re.sub("\r\n(?=[ \t])", "", json.loads(line))
        field = Strict.parse_value(authres.core_features(), value)
        answer = [field.authserv_id, [result(one) for one in field.results]]
    except Exception:
        answer = None
    print(json.dumps(answer), flush=True)
