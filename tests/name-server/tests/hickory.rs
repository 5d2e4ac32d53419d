//! What `HickoryResolver` makes of answers, failures and silence.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use mailproof::dns::{
    Answer, Cache, HickoryResolver, LookupError, Name, Outcome, Recording, Resolver, Txt, block_on,
};
use name_server::hickory_proto::op::{Message, ResponseCode};
use name_server::hickory_proto::rr::rdata::{A, AAAA, CNAME, MX, NS, PTR, SOA, TXT};
use name_server::hickory_proto::rr::{Name as WireName, RData, Record, RecordType};
use name_server::{NameServer, Over, Reply, answer_to};

fn name(text: &str) -> Name {
    text.parse().expect("a name")
}

fn wire(text: &str) -> WireName {
    WireName::from_labels(name(text).labels()).expect("a name")
}

fn record(at: &str, data: RData) -> Record {
    Record::from_rdata(wire(at), 300, data)
}

fn txt(text: &[u8]) -> RData {
    RData::TXT(TXT::from_bytes(text.chunks(255).collect()))
}

fn cname(target: &str) -> RData {
    RData::CNAME(CNAME(wire(target)))
}

/// An SOA record that allows negative answers 60 seconds.
fn soa() -> Record {
    let soa = SOA::new(wire("ns.example"), wire("admin.example"), 1, 2, 3, 4, 60);
    record("example", RData::SOA(soa))
}

fn reply(message: Message) -> Reply {
    Reply::Message(Box::new(message))
}

/// A server that gives everybody this answer.
async fn always(fill: impl Fn(&mut Message) + Send + Sync + 'static) -> NameServer {
    NameServer::start(move |query, _| {
        let mut answer = answer_to(query);
        fill(&mut answer);
        reply(answer)
    })
    .await
}

fn resolver(servers: &[&NameServer]) -> HickoryResolver {
    let resolver = HickoryResolver::new(servers.iter().map(|server| server.address()));
    resolver
        .expect("a resolver")
        .timeout(Duration::from_millis(250))
}

async fn ask(server: &NameServer) -> Result<Outcome<Txt>, LookupError> {
    resolver(&[server]).txt(&name("x.example")).await
}

#[tokio::test]
async fn records_of_every_type() {
    let server = NameServer::start(|query, _| {
        let mut answer = answer_to(query);
        let data = match query.queries[0].query_type() {
            RecordType::A => RData::A(A(Ipv4Addr::new(192, 0, 2, 1))),
            RecordType::AAAA => RData::AAAA(AAAA(Ipv6Addr::LOCALHOST)),
            RecordType::MX => RData::MX(MX::new(10, wire(r"MX\.1.example"))),
            RecordType::PTR => RData::PTR(PTR(WireName::root())),
            _ => RData::TXT(TXT::from_bytes(vec![b"a \xff\0", b"", b"b"])),
        };
        let asked = query.queries[0].name().clone();
        answer.add_answer(Record::from_rdata(asked.clone(), 300, data.clone()));
        answer.add_answer(Record::from_rdata(asked, 200, data));
        // Not asked for.
        answer.add_answer(record("y.example", txt(b"other")));
        answer.metadata.authentic_data = true;
        reply(answer)
    })
    .await;
    let resolver = resolver(&[&server]);
    let x = name("X.example");
    let txt = resolver.txt(&x).await.expect("an outcome");
    assert_eq!(
        txt.as_slice(),
        [Txt::new(b"a \xff\0b"), Txt::new(b"a \xff\0b")]
    );
    assert_eq!(
        (txt.ttl(), txt.is_authentic()),
        (Some(Duration::from_secs(200)), true)
    );
    let a = resolver.a(&x).await.expect("an outcome");
    assert_eq!(a.as_slice(), [Ipv4Addr::new(192, 0, 2, 1); 2]);
    let aaaa = resolver.aaaa(&x).await.expect("an outcome");
    assert_eq!(aaaa.as_slice(), [Ipv6Addr::LOCALHOST; 2]);
    let mx = resolver.mx(&x).await.expect("an outcome");
    assert_eq!(mx.as_slice()[0].preference, 10);
    assert_eq!(mx.as_slice()[0].exchange, name(r"mx\.1.example"));
    let ptr = resolver.ptr(&x).await.expect("an outcome");
    assert_eq!(ptr.as_slice()[0], Name::root());

    let untrusting = resolver.trust_authentic_data(false);
    assert!(!untrusting.txt(&x).await.expect("an outcome").is_authentic());
    for (query, over) in server.asked() {
        assert!(query.metadata.recursion_desired && query.metadata.authentic_data);
        assert_eq!((query.max_payload(), over), (1_232, Over::Udp));
    }
}

#[tokio::test]
async fn large_answers_come_over_tcp() {
    let large: Vec<u8> = (0..4_096_u32)
        .map(|n| b'a' + u8::try_from(n % 26).expect("small"))
        .collect();
    let expected = Txt::new(&large);
    let server = always(move |answer| {
        answer.add_answer(record("x.example", txt(&large)));
    })
    .await;
    let outcome = ask(&server).await.expect("an outcome");
    assert_eq!(outcome.as_slice(), [expected]);
    assert_eq!(server.asked_over(), [Over::Udp, Over::Tcp]);
}

#[tokio::test]
async fn many_records_at_one_name() {
    let server = always(|answer| {
        for number in 0..59 {
            let text = format!("site-verification={number:040}");
            answer.add_answer(record("x.example", txt(text.as_bytes())));
        }
    })
    .await;
    let outcome = ask(&server).await.expect("an outcome");
    assert_eq!(outcome.as_slice().len(), 59);
    let tcp = resolver(&[&server]).tcp_only();
    assert_eq!(tcp.txt(&name("x.example")).await, Ok(outcome));
    assert_eq!(server.asked_over(), [Over::Udp, Over::Tcp, Over::Tcp]);
}

#[tokio::test]
async fn truncated_without_tcp() {
    let fill = |query: &Message| {
        let mut answer = answer_to(query);
        answer.metadata.truncation = true;
        answer.add_answer(record("x.example", txt(b"only the first")));
        answer
    };
    // TCP is refused.
    let server = NameServer::start_udp(move |query, _| reply(fill(query))).await;
    assert_eq!(ask(&server).await, Err(LookupError::Truncated));
    // TCP is silent.
    let server = NameServer::start(move |query, over| match over {
        Over::Udp => reply(fill(query)),
        Over::Tcp => Reply::Silence,
    })
    .await;
    assert_eq!(ask(&server).await, Err(LookupError::Truncated));
    // TCP is truncated as well.
    let server = NameServer::start(move |query, _| reply(fill(query))).await;
    assert_eq!(ask(&server).await, Err(LookupError::Truncated));
    // The answer is cut inside a record.
    let server = NameServer::start_udp(move |query, _| {
        let mut octets = fill(query).to_vec().expect("a message");
        octets.truncate(octets.len() - 5);
        Reply::Octets(vec![octets])
    })
    .await;
    assert_eq!(ask(&server).await, Err(LookupError::Truncated));
}

#[tokio::test]
async fn names_without_data_and_names_that_are_not() {
    let server = always(|answer| {
        answer.metadata.response_code = ResponseCode::NXDomain;
        answer.add_authority(soa());
    })
    .await;
    let ttl = Duration::from_secs(60);
    assert_eq!(
        ask(&server).await,
        Ok(Outcome::no_such_name().with_ttl(ttl))
    );
    let server = always(|answer| {
        answer.add_authority(soa());
    })
    .await;
    assert_eq!(ask(&server).await, Ok(Outcome::no_data().with_ttl(ttl)));
    let server = always(|_| {}).await;
    assert_eq!(ask(&server).await, Ok(Outcome::no_data()));
    // A referral is no answer.
    let server = always(|answer| {
        answer.metadata.recursion_available = false;
        answer.add_authority(record("example", RData::NS(NS(wire("ns.example")))));
    })
    .await;
    assert!(matches!(ask(&server).await, Err(LookupError::Other(_))));
}

#[tokio::test]
async fn aliases() {
    let server = always(|answer| {
        // In any order, with a TTL that is shorter on the way.
        answer.add_answer(record("c.example", txt(b"here")));
        answer.add_answer(Record::from_rdata(
            wire("X.example"),
            10,
            cname("b.example"),
        ));
        answer.add_answer(record("b.example", cname("C.example")));
    })
    .await;
    let expected = Outcome::records([Txt::new("here")]).with_ttl(Duration::from_secs(10));
    assert_eq!(ask(&server).await, Ok(expected));
    // Each server follows only inside its zone.
    let server = NameServer::start(|query, _| {
        let mut answer = answer_to(query);
        if query.queries[0].name() == &wire("x.example") {
            answer.add_answer(record("x.example", cname("y.test")));
        } else {
            answer.add_answer(Record::from_rdata(wire("y.test"), 30, txt(b"there")));
        }
        reply(answer)
    })
    .await;
    let expected = Outcome::records([Txt::new("there")]).with_ttl(Duration::from_secs(30));
    assert_eq!(ask(&server).await, Ok(expected));
    assert_eq!(server.asked().len(), 2);
    // To nowhere.
    let server = always(|answer| {
        answer.add_answer(record("x.example", cname("gone.example")));
        answer.metadata.response_code = ResponseCode::NXDomain;
        answer.add_authority(soa());
    })
    .await;
    let answer = Answer::from(&ask(&server).await);
    assert_eq!(answer, Answer::NoSuchName);
    // To a name without data.
    let server = always(|answer| {
        answer.add_answer(record("x.example", cname("empty.example")));
        answer.add_authority(soa());
    })
    .await;
    let answer = Answer::from(&ask(&server).await);
    assert_eq!(answer, Answer::NoData);
    // In a circle, in one answer and over several.
    let server = always(|answer| {
        answer.add_answer(record("x.example", cname("y.example")));
        answer.add_answer(record("y.example", cname("x.example")));
    })
    .await;
    assert_eq!(ask(&server).await, Err(LookupError::Malformed));
    let server = NameServer::start(|query, _| {
        let mut answer = answer_to(query);
        let asked = query.queries[0].name().clone();
        let next = asked.prepend_label("x").expect("a name");
        answer.add_answer(Record::from_rdata(asked, 300, RData::CNAME(CNAME(next))));
        reply(answer)
    })
    .await;
    assert_eq!(ask(&server).await, Err(LookupError::Malformed));
    assert_eq!(server.asked().len(), 4);
}

#[tokio::test]
async fn failures_are_told_apart() {
    for (code, error) in [
        (ResponseCode::ServFail, LookupError::ServFail),
        (ResponseCode::Refused, LookupError::Refused),
        (ResponseCode::NotAuth, LookupError::Refused),
        (
            ResponseCode::FormErr,
            LookupError::Other("the name server answered with RCODE 1".into()),
        ),
        (
            ResponseCode::YXDomain,
            LookupError::Other("the name server answered with RCODE 6".into()),
        ),
    ] {
        let server = always(move |answer| {
            answer.metadata.response_code = code;
            // Some leave the question out.
            if code == ResponseCode::Refused {
                answer.queries.clear();
            }
        })
        .await;
        assert_eq!(ask(&server).await, Err(error));
    }
    // Silence.
    let server = NameServer::start(|_, _| Reply::Silence).await;
    assert_eq!(ask(&server).await, Err(LookupError::Timeout));
    assert_eq!(server.asked_over(), [Over::Udp, Over::Udp]);
    // Octets that are no message, behind the right ID.
    let server = NameServer::start(|query, _| {
        let [id_0, id_1] = query.metadata.id.to_be_bytes();
        Reply::Octets(vec![vec![id_0, id_1, 0x80, 0, 0, 9, 0, 9]])
    })
    .await;
    assert_eq!(ask(&server).await, Err(LookupError::Malformed));
}

#[tokio::test]
async fn servers_that_know_no_edns() {
    let server = NameServer::start(|query, _| {
        let mut answer = answer_to(query);
        if query.edns.is_some() {
            answer.metadata.response_code = ResponseCode::FormErr;
        } else {
            answer.add_answer(record("x.example", txt(b"plain")));
        }
        reply(answer)
    })
    .await;
    assert_eq!(
        ask(&server).await.expect("an outcome").as_slice(),
        [Txt::new("plain")]
    );
}

#[tokio::test]
async fn what_answers_another_question_is_passed_over() {
    let server = NameServer::start(|query, _| {
        let mut right = answer_to(query);
        right.add_answer(record("x.example", txt(b"right")));
        let mut wrong_id = right.clone();
        wrong_id.metadata.id ^= 1;
        let mut wrong_name = answer_to(query);
        wrong_name.queries[0].set_name(wire("y.example"));
        wrong_name.add_answer(record("x.example", txt(b"wrong")));
        let mut no_question = wrong_name.clone();
        no_question.queries.clear();
        let octets = |message: &Message| message.to_vec().expect("a message");
        Reply::Octets(vec![
            vec![],
            b"x".to_vec(),
            octets(&wrong_id),
            octets(&wrong_name),
            octets(&no_question),
            octets(query),
            octets(&right),
        ])
    })
    .await;
    assert_eq!(
        ask(&server).await.expect("an outcome").as_slice(),
        [Txt::new("right")]
    );
}

#[tokio::test]
async fn the_next_server_is_asked() {
    let right = always(|answer| {
        answer.add_answer(record("x.example", txt(b"x")));
    })
    .await;
    let silent = NameServer::start(|_, _| Reply::Silence).await;
    let refusing = always(|answer| answer.metadata.response_code = ResponseCode::Refused).await;
    let x = name("x.example");
    assert!(
        resolver(&[&silent, &refusing, &right])
            .txt(&x)
            .await
            .is_ok()
    );
    assert_eq!(silent.asked().len(), 1);
    // One that refused is not asked again, one that was silent is; silence tells least.
    let result = resolver(&[&silent, &refusing]).txt(&x).await;
    assert_eq!(result, Err(LookupError::Refused));
    assert_eq!((silent.asked().len(), refusing.asked().len()), (3, 2));
}

#[tokio::test]
async fn nobody_listens() {
    let server = NameServer::start(|_, _| Reply::Silence).await;
    let address: SocketAddr = server.address();
    drop(server);
    // The server's tasks end when they are next polled.
    tokio::time::sleep(Duration::from_millis(20)).await;
    let resolver = HickoryResolver::new([address]).expect("a resolver");
    for resolver in [resolver.clone(), resolver.tcp_only()] {
        let result = resolver.a(&name("x.example")).await;
        assert!(matches!(result, Err(LookupError::Other(_))), "{result:?}");
    }
}

#[tokio::test]
async fn odd_names_are_asked_as_they_are() {
    let server = always(|answer| {
        answer.add_authority(soa());
    })
    .await;
    let resolver = resolver(&[&server]);
    let labels = |labels: &[&[u8]]| {
        labels
            .iter()
            .map(|label| label.to_vec())
            .collect::<Vec<_>>()
    };
    let long = vec![b'a'; 63];
    for labels in [
        labels(&[b"one"]),
        labels(&[b"a.b", b"\\", b"\"; @$()", b"\0\xff ", b"example"]),
        labels(&[b"*", b"_x", b"xn--a", b"example"]),
        labels(&[&long, &long, &long, &long[..61]]),
        Vec::new(),
    ] {
        let name = match labels.as_slice() {
            [] => Name::root(),
            labels => Name::from_labels(labels.iter().map(Vec::as_slice)).expect("a name"),
        };
        assert_eq!(Answer::from(&resolver.txt(&name).await), Answer::NoData);
        let (query, _) = server.asked().pop().expect("a question");
        let asked: Vec<_> = query.queries[0].name().iter().map(<[u8]>::to_vec).collect();
        assert_eq!(asked, labels);
    }
}

#[tokio::test]
async fn under_a_cache_and_a_recording() {
    let server = NameServer::start(|query, _| {
        let mut answer = answer_to(query);
        match query.queries[0].query_type() {
            RecordType::TXT => {
                answer.add_answer(record("x.example", txt(b"x")));
            }
            _ => answer.metadata.response_code = ResponseCode::ServFail,
        }
        reply(answer)
    })
    .await;
    let cache = Cache::new(resolver(&[&server]), || Duration::ZERO);
    let recording = Recording::new(&cache);
    let x = name("x.example");
    let (first, second) = tokio::join!(recording.txt(&x), recording.txt(&x));
    assert_eq!(first, second);
    assert_eq!(recording.mx(&x).await, Err(LookupError::ServFail));
    // A look-up that is given up leaves nothing behind.
    drop(recording.a(&x));
    let questions: Vec<_> = recording
        .questions()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        questions,
        [
            "TXT x.example: 1 record",
            "TXT x.example: 1 record",
            "MX x.example: error: the name server failed (SERVFAIL)",
            "A x.example: unanswered",
        ]
    );
    assert_eq!((server.asked().len(), cache.entries()), (2, 1));
}

#[test]
fn without_a_runtime() {
    let resolver = HickoryResolver::new(["127.0.0.1:9".parse().expect("an address")]);
    let result = block_on(resolver.expect("a resolver").a(&name("x.example")));
    assert!(matches!(result, Err(LookupError::Other(_))));
    assert!(HickoryResolver::new([]).is_err());
}
