"""How calls with clients that cannot be run here end: each refusal, error and crossing that they
know, by replay, and what is said of it here. No sound is needed for that."""

import pytest

from caller import play  # noqa: F401, a fixture
from dialect import element
from dialects import (Conversations2023, ConversationsCurrent, Dino, Monal, Movim, PsiNext,
                      QXmppNext)
from peer import JINGLE, MESSAGE
from prosody import Prosody

SILENT = ["--source", "silence", "--sink", "null"]


@pytest.fixture(scope="module")
def server():
    """One for all: nobody is left in it after a test."""
    with Prosody(accounts=("alice", "bob", "carol")) as started:
        yield started


def rows(table):
    return pytest.mark.parametrize("row", table,
                                   ids=lambda row: f"{row[0].name}-{row[1] or 'nothing'}")


def reason(text):
    return f"<reason xmlns='{JINGLE}'>{text}</reason>" if text else ""


# Who, what is inside of its <reason/>, and what that is here.
REJECTIONS = [
    (Conversations2023, "", "declined"),
    (Monal, "<busy/>", "busy"),
    (PsiNext, "<busy/>", "busy"),
    (ConversationsCurrent, "<decline/>", "declined"),
    (Monal, "<expired/>", "no-answer"),
]


@rows(REJECTIONS)
def test_what_its_rejection_means(row, server, run_jcall, play):
    kind, why, means = row
    caller = play(kind, server, voice=False)
    alice = run_jcall(server, "alice", "call", server.jid("carol"), *SILENT)
    propose = caller.peer.await_message("propose")
    caller.send(caller.dialect.message(propose.get("from"), "reject", element(propose).get("id"),
                                       reason(why)))
    ended = alice.await_event("ended")
    assert (ended["reason"], ended["by"]) == (means, "remote")
    assert ended["text"]


# Who, what it terminates by before it answers, what that is here, and a word of the sentence.
TERMINATIONS = [
    (Conversations2023, "<decline/>", "declined", "declined"),
    (Conversations2023, "<busy/>", "busy", "another call"),
    (Conversations2023, "<connectivity-error/>", "no-path", "path"),
    (Conversations2023, "<security-error/>", "security", "safe"),
    (Conversations2023, "<unsupported-transports/>", "incompatible", ""),
    (ConversationsCurrent, "<failed-application/>", "media-error", ""),
    (Dino, "<failed_application/>", "media-error", ""),
    (Dino, "<failed_transport/>", "no-path", "path"),
    (Dino, "<unsupported-applications/>", "incompatible", ""),
    (Monal, "<application-error/>", "media-error", ""),
    (Movim, "<incompatible-parameters/>", "incompatible", ""),
    (PsiNext, "<expired/>", "no-answer", "answered"),
    (PsiNext, "<gone/>", "gone", "offline"),
    (PsiNext, "<timeout/>", "no-answer", "answered"),
    (QXmppNext, "", "declined", "declined"),
    (QXmppNext, "<text>no</text><general-error/>", "protocol", "protocol"),
]


@rows(TERMINATIONS)
def test_what_it_terminates_by(row, server, run_jcall, play):
    kind, why, means, word = row
    caller = play(kind, server, voice=False)
    alice = run_jcall(server, "alice", "call", server.jid("carol"), *SILENT)
    if kind.messages:
        caller.proceed()
    to, offer = caller.jingle("session-initiate")
    inside = f"<reason>{why}</reason>" if why else ""
    caller.send(caller.dialect.iq(to, "session-terminate", offer.get("sid"), inside))
    ended = alice.await_event("ended")
    assert (ended["reason"], ended["by"]) == (means, "remote")
    assert word in ended["text"]


# Who, with which error it answers our session-initiate, and what that is here.
ERRORS = [
    (Conversations2023, "service-unavailable", "offline"),
    (Conversations2023, "item-not-found", "unreachable"),
    (Dino, "feature-not-implemented", "no-call-support"),
    (Dino, "bad-request", "protocol"),
    (Monal, "not-acceptable", "incompatible"),
    (Movim, "recipient-unavailable", "offline"),
    (PsiNext, "resource-constraint", "busy"),
    (PsiNext, "forbidden", "declined"),
    (QXmppNext, "400", "protocol"),
]


@rows(ERRORS)
def test_what_its_error_to_our_offer_means(row, server, run_jcall, play):
    kind, error, means = row
    caller = play(kind, server, voice=False)
    caller.dialect.answers = {**kind.answers, "session-initiate": (error,)}
    alice = run_jcall(server, "alice", "call", server.jid("carol"), *SILENT)
    if kind.messages:
        caller.proceed()
    ended = alice.await_event("ended")
    assert (ended["reason"], ended["by"]) == (means, "remote")
    assert ended["text"]


# Who calls us, what it says, before or after we answer, and what that is here.
CHANGES_OF_MIND = [
    (Conversations2023, "retract", "", False, "canceled"),
    (Monal, "retract", "<cancel/>", False, "canceled"),
    (Movim, "retract", "<cancel/><text>Retracted</text>", False, "canceled"),
    (PsiNext, "retract", "<timeout/>", False, "no-answer"),
    (Monal, "finish", "<connectivity-error/>", True, "no-path"),
    (Monal, "finish", "<application-error/>", True, "media-error"),
    (Movim, "finish", "<gone/><text>Success</text>", True, "gone"),
]


@rows(CHANGES_OF_MIND)
def test_what_it_says_when_it_changes_its_mind(row, server, run_jcall, play):
    kind, name, why, answered, means = row
    words = ["--auto"] if answered else []
    bob = run_jcall(server, "bob", "answer", *words, *SILENT)
    bob.await_event("online")
    caller = play(kind, server, voice=False)
    caller.send(caller.dialect.propose(server.jid("bob")))
    bob.await_event("incoming")
    to = caller.peer.await_message("proceed" if answered else "ringing").get("from")
    caller.send(caller.dialect.message(to, name, caller.dialect.sid, reason(why)))
    ended = bob.await_event("ended")
    assert (ended["reason"], ended["by"]) == (means, "remote")


# Who calls while we call it, and what it says where its own call has the higher id, and the lower.
CROSSINGS = [
    (ConversationsCurrent, ("retract", ""), None),
    (Dino, None, None),
    (Monal, ("retract", "<cancel/>"), ("reject", "<expired/>")),
]


@pytest.mark.parametrize("ours_goes_on", [True, False], ids=["ours", "theirs"])
@rows(CROSSINGS)
def test_calls_that_cross_become_one(row, ours_goes_on, server, run_jcall, play):
    kind, loses, wins = row
    caller = play(kind, server, voice=False)
    dialect = caller.dialect
    alice = run_jcall(server, "alice", "call", server.jid("carol"), *SILENT)
    propose = caller.peer.await_message("propose")
    me, mine = propose.get("from"), element(propose).get("id")
    dialect.sid = ("z" if ours_goes_on else "!") + dialect.sid
    caller.send(dialect.propose(server.jid("alice")))
    if ours_goes_on:
        lost = caller.peer.await_message("reject")
        assert element(lost).get("id") == dialect.sid
        if loses:
            caller.send(dialect.message(server.jid("alice"), loses[0], dialect.sid,
                                        reason(loses[1])))
        caller.send(*dialect.proceed(me, mine))
        _, offer = caller.jingle("session-initiate")
        assert offer.get("sid") == mine
    else:
        if wins:
            tie = f"<tie-break xmlns='{MESSAGE}'/>"
            caller.send(dialect.message(me, wins[0], mine, reason(wins[1]) + tie))
        proceed = caller.peer.await_message("proceed")
        assert element(proceed).get("id") == dialect.sid
    assert not alice.seen("exit")


@pytest.mark.parametrize("namespace", [MESSAGE, JINGLE], ids=["as-written", "monal"])
def test_a_call_that_migrates_to_another_device_of_ours_ends_here(namespace, server, answering,
                                                                  play):
    """Who goes on with another device of ours says finish and nothing else."""
    bob = answering(server, "bob")
    caller = play(Monal, server)
    to = caller.call(server.jid("bob"))
    bob.await_event("connected")
    why = reason("<expired/>") + f"<migrated xmlns='{namespace}' to='another'/>"
    caller.send(caller.dialect.message(to, "finish", caller.dialect.sid, why))
    ended = bob.await_event("ended")
    assert (ended["reason"], ended["by"]) == ("elsewhere", "remote")
    caller.assert_no_errors()


@pytest.mark.parametrize("kind", [Dino, Monal, Movim], ids=lambda kind: kind.name)
def test_what_was_said_twice_at_the_end_is_no_error(kind, server, answering, play):
    bob = answering(server, "bob")
    caller = play(kind, server)
    dialect = caller.dialect
    to = caller.call(server.jid("bob"))
    bob.await_event("connected")
    last = dialect.hang_up(to, dialect.sid, dialect.audio)
    caller.send(*last)
    bob.await_event("ended")
    again = dialect.iq(to, "session-terminate", dialect.sid, "<reason><success/></reason>",
                       mark="again-")
    assert caller.peer.ask(again) == ("result", None)
