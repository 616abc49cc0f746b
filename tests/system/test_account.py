"""Logging in, and every way it fails: an exit code and a sentence of its own within ten seconds."""

import pytest


def fails(run_jcall, server, *words, **keywords):
    program = run_jcall(server, "alice", "contacts", *words, **keywords)
    began = program.await_event("connecting")
    code = program.await_exit()
    end = program.seen("exit")[-1]
    assert end["text"]
    assert (end["time"] - began["time"]) / 1e6 < 10.5
    return code


@pytest.mark.parametrize("tls", ["starttls", "direct"])
def test_login_with_either_kind_of_tls(server, run_jcall, tls):
    port = server.port if tls == "starttls" else server.tls_port
    alice = run_jcall(server, "alice", "contacts", tls=tls, port=port)
    alice.await_event("contact", jid=server.jid("bob"), subscription="both")
    assert alice.await_exit() == 0


def test_a_wrong_password(server, run_jcall):
    assert fails(run_jcall, server, password="wrong") == 20


def test_an_account_that_the_server_does_not_have(server, run_jcall):
    program = run_jcall(server, "nobody", "contacts")
    assert program.await_exit() == 20


def test_a_host_name_that_does_not_resolve(server, run_jcall):
    assert fails(run_jcall, server, "--host", "nowhere.invalid") == 22


@pytest.mark.signalling
@pytest.mark.parametrize("tls", ["starttls", "direct"])
@pytest.mark.parametrize("kind", ["self-signed", "expired", "wrong-name"])
def test_a_certificate_that_is_not_trusted(start_server, run_jcall, kind, tls):
    server = start_server("--certificate", kind)
    port = server.port if tls == "starttls" else server.tls_port
    assert fails(run_jcall, server, tls=tls, port=port) == 21


@pytest.mark.signalling
def test_an_authority_that_is_not_ours(start_server, run_jcall):
    one, other = start_server(), start_server()
    assert fails(run_jcall, one, ca_file=other.ca_file) == 21


@pytest.mark.signalling
def test_a_server_without_tls(start_server, run_jcall):
    assert fails(run_jcall, start_server("--no-tls")) == 24


@pytest.mark.signalling
def test_a_lab_may_do_without_tls_by_name(start_server, run_jcall):
    alice = run_jcall(start_server("--no-tls"), "alice", "contacts", "--lab-plaintext")
    assert alice.await_exit() == 0


@pytest.mark.signalling
def test_a_lab_may_believe_any_certificate_by_name(start_server, run_jcall):
    server = start_server("--certificate", "self-signed")
    assert run_jcall(server, "alice", "contacts", "--lab-any-certificate").await_exit() == 0


def test_nothing_listens(server, run_jcall):
    server.halt()
    assert fails(run_jcall, server) == 23


@pytest.mark.parametrize("tls", ["starttls", "direct"])
def test_a_server_that_accepts_and_says_nothing(server, run_jcall, tls):
    server.freeze()
    port = server.port if tls == "starttls" else server.tls_port
    assert fails(run_jcall, server, tls=tls, port=port) == 25


@pytest.mark.signalling
def test_a_configuration_file_that_others_can_read_is_refused(server, run_jcall, tmp_path):
    file = tmp_path / "config"
    file.write_text("[jcall]\npassword = secret\n")
    file.chmod(0o644)
    program = run_jcall(server, "alice", "contacts", "--config", file)
    assert program.await_exit() == 2
    file.chmod(0o600)
    assert run_jcall(server, "alice", "contacts", "--config", file, password="").await_exit() == 0


@pytest.mark.signalling
def test_the_log_never_holds_the_password(server, run_jcall, tmp_path):
    log = tmp_path / "log"
    secret = "a-password-nobody-may-see"
    program = run_jcall(server, "alice", "contacts", "-vv", "--log", log, password=secret)
    assert program.await_exit() == 20
    everything = log.read_text() + "".join(program.stderr) + str(program.events)
    import base64
    for form in (secret, base64.b64encode(f"\0alice\0{secret}".encode()).decode()):
        assert form not in everything


@pytest.mark.signalling
def test_two_strangers_become_contacts_and_can_call(start_server, run_jcall, answering):
    server = start_server(accounts=(), strangers=("alice", "bob"))
    assert run_jcall(server, "alice", "contacts", "add", server.jid("bob")).await_exit() == 0
    bob = run_jcall(server, "bob", "contacts")
    bob.await_event("subscription", jid=server.jid("alice"))
    bob.await_exit()
    assert run_jcall(server, "bob", "contacts", "add", server.jid("alice")).await_exit() == 0
    alice = run_jcall(server, "alice", "contacts")
    alice.await_event("contact", jid=server.jid("bob"), subscription="both")
    assert alice.await_exit() == 0
    answering(server, "bob")
    alice = run_jcall(server, "alice", "call", server.jid("bob"), "--source", "silence", "--sink",
                      "null", "--seconds", "1")
    assert alice.await_exit() == 0
    assert run_jcall(server, "alice", "contacts", "remove", server.jid("bob")).await_exit() == 0
    bob = run_jcall(server, "bob", "contacts")
    bob.await_exit()
    assert all(contact["subscription"] != "both" for contact in bob.seen("contact"))


def test_the_same_resource_elsewhere_ends_the_older_one(server, run_jcall):
    older = run_jcall(server, "alice", "answer", resource="desk")
    older.await_event("online")
    newer = run_jcall(server, "alice", "answer", resource="desk")
    newer.await_event("online")
    assert older.await_exit() == 25


@pytest.mark.signalling
def test_check_says_what_works(server, run_jcall):
    program = run_jcall(server, "alice", "check")
    program.await_exit()
    checks = {check["subject"]: check for check in program.seen("check")}
    assert checks["Login"]["good"]
    assert all(check["text"] and (check["good"] or check["remedy"]) for check in checks.values())


@pytest.mark.signalling
def test_check_says_what_to_do_about_a_wrong_password(server, run_jcall):
    program = run_jcall(server, "alice", "check", password="wrong")
    assert program.await_exit() in (20, 42)
    bad = [check for check in program.seen("check") if not check["good"]]
    assert bad and bad[0]["remedy"]


def test_the_connection_is_made_again(server, run_jcall):
    alice = run_jcall(server, "alice", "answer")
    first = alice.await_event("online")
    server.kill()
    assert alice.await_event("offline")["will_retry"]
    server.resume()
    assert alice.await_event("online", 60)["jid"] == first["jid"]
