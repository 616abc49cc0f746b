"""How clients that cannot be run here speak Jingle: what they send, in what shape and order, and
what they refuse, as read from their sources. One class a client; `check_...` raise an assertion
where the client would end the call."""

import re

from peer import DTLS, ICE, JINGLE, MESSAGE, RTP

GROUP = "urn:xmpp:jingle:apps:grouping:0"
FB = "urn:xmpp:jingle:apps:rtp:rtcp-fb:0"
HDREXT = "urn:xmpp:jingle:apps:rtp:rtp-hdrext:0"
SSMA = "urn:xmpp:jingle:apps:rtp:ssma:0"
TRICKLE = "http://gultsch.de/xmpp/drafts/jingle/transports/ice-udp/option"
OMEMO = "http://gultsch.de/xmpp/drafts/omemo/dlts-srtp-verification"
RECEIPTS = "urn:xmpp:receipts"
HINTS = "urn:xmpp:hints"


def contents(jingle):
    return jingle.findall(f"{{{JINGLE}}}content")


def description(content):
    return content.find(f"{{{RTP}}}description")


def transport(content):
    return content.find(f"{{{ICE}}}transport")


def fingerprint(content):
    return transport(content).find(f"{{{DTLS}}}fingerprint")


def payloads(content):
    return description(content).findall(f"{{{RTP}}}payload-type")


def candidates(jingle, components=("1",)):
    """As SDP lines, those that a client with UDP and these components can use."""
    return [" ".join([c.get("foundation"), c.get("component"), c.get("protocol"), c.get("priority"),
                      c.get("ip"), c.get("port"), "typ", c.get("type")])
            for c in jingle.iter(f"{{{ICE}}}candidate")
            if c.get("protocol") == "udp" and c.get("component") in components]


def group(jingle):
    found = jingle.find(f"{{{GROUP}}}group")
    return [] if found is None else [c.get("name") for c in found]


class Dialect:
    """What most have in common: libwebrtc behind a thin mapping of SDP."""

    name = "?"
    messages = True        # message initiation (XEP-0353)
    initiator = False      # writes who it is
    audio = "audio"        # the name of its content
    opus = ("111", "opus")
    setup = "actpass"
    late_candidates = False  # in transport-info only
    feedback = ""
    features = (JINGLE, RTP, RTP.replace(":rtp:1", ":rtp:audio"),
                RTP.replace(":rtp:1", ":rtp:video"), DTLS, ICE, MESSAGE)
    sid = "8c1b2a5e-5a1e-4c6f-9f52-3a5f0c6e7d11"

    def propose(self, to, media=("audio",)):
        inside = "".join(f"<description xmlns='{RTP}' media='{one}'/>" for one in media)
        return (f"<message type='chat' to='{to}' id='{self.propose_id()}'>"
                f"<propose xmlns='{MESSAGE}' id='{self.sid}'>{inside}</propose>"
                f"<store xmlns='{HINTS}'/>{self.request()}</message>")

    def propose_id(self):
        return "p1"

    def request(self):
        return ""

    def proceed(self, to, sid):
        return (f"<message type='chat' to='{to}' id='{self.name}-proceed'>"
                f"<proceed xmlns='{MESSAGE}' id='{sid}'>{self.device()}</proceed>"
                f"<store xmlns='{HINTS}'/></message>")

    def device(self):
        return ""

    def candidate(self, media, index, candidate):
        return (f"<candidate component='1' foundation='{candidate.foundation}' generation='0' "
                f"id='c{index}' ip='{candidate.ip}' network='0' port='{candidate.port}' "
                f"priority='{candidate.priority}' protocol='udp' type='host'/>")

    def all_candidates(self, media):
        return "".join(self.candidate(media, i, c) for i, c in enumerate(media.candidates))

    def transport(self, media, setup, inside=""):
        return (f"<transport xmlns='{ICE}' ufrag='{media.ufrag}' pwd='{media.pwd}'>{inside}"
                f"<fingerprint xmlns='{DTLS}' hash='sha-256' setup='{setup}'>"
                f"{self.fingerprint(media)}</fingerprint></transport>")

    def fingerprint(self, media):
        return media.fingerprint

    def description(self, media, answer):
        number, name = answer or self.opus
        return (f"<description xmlns='{RTP}' media='audio'>"
                f"<payload-type id='{number}' name='{name}' clockrate='48000' channels='2'>"
                f"<parameter name='useinbandfec' value='1'/>{self.feedback}</payload-type>"
                f"{self.extras(media, answer)}<rtcp-mux/></description>")

    def extras(self, media, answer):
        return ""

    def content(self, media, name, setup, answer=None):
        inside = "" if self.late_candidates else self.all_candidates(media)
        return (f"<content creator='initiator' name='{name}'{self.senders()}>"
                f"{self.description(media, answer)}{self.transport(media, setup, inside)}"
                f"</content>")

    def senders(self):
        return " senders='both'"

    def groups(self, names):
        return (f"<group xmlns='{GROUP}' semantics='BUNDLE'>"
                + "".join(f"<content name='{name}'/>" for name in names) + "</group>")

    def iq(self, to, action, sid, inside, who=""):
        return (f"<iq type='set' to='{to}' id='{action}-{self.name}'>"
                f"<jingle xmlns='{JINGLE}' action='{action}' sid='{sid}'{who}>{inside}"
                f"</jingle></iq>")

    def offer(self, me, to, media):
        who = f" initiator='{me}'" if self.initiator else ""
        return self.iq(to, "session-initiate", self.sid, self.groups([self.audio])
                       + self.content(media, self.audio, self.setup), who)

    def answer(self, me, to, media, offer):
        """To our offer, a <jingle/>."""
        content = contents(offer)[0]
        opus = next(p for p in payloads(content) if p.get("name").lower() == "opus")
        who = f" responder='{me}'" if self.initiator else ""
        return self.iq(to, "session-accept", offer.get("sid"),
                       (self.groups([content.get("name")]) if group(offer) else "")
                       + self.content(media, content.get("name"), "active",
                                      (opus.get("id"), opus.get("name"))), who)

    def trickle(self, to, sid, name, media):
        """What follows by transport-info."""
        if not self.late_candidates:
            return []
        return [self.iq(to, "transport-info", sid,
                        f"<content creator='initiator' name='{name}'>"
                        f"<transport xmlns='{ICE}' ufrag='{media.ufrag}' pwd='{media.pwd}'>"
                        f"{self.candidate(media, i, one)}</transport></content>").replace(
                            "id='transport-info", f"id='{i}-transport-info")
                for i, one in enumerate(media.candidates)]

    def terminate(self, to, sid):
        return self.iq(to, "session-terminate", sid, "<reason><success/></reason>")

    # -- video that is added to a call --

    video = "video"

    def video_content(self, media, name, setup, number="96"):
        """`media` None: an empty transport, which rides in the bundle."""
        transport = (f"<transport xmlns='{ICE}'/>" if media is None
                     else self.transport(media, setup, self.all_candidates(media)))
        return (f"<content creator='initiator' name='{name}'{self.senders()}>"
                f"<description xmlns='{RTP}' media='video'>"
                f"<payload-type id='{number}' name='VP8' clockrate='90000'>"
                f"<rtcp-fb xmlns='{FB}' type='nack' subtype='pli'/></payload-type>"
                f"<rtcp-mux/></description>{transport}</content>")

    bundles = True

    def add_video(self, to, sid, names, media):
        return self.iq(to, "content-add", sid, self.groups(names) + self.video_content(
            None if self.bundles else media, self.video, self.setup))

    def accept_video(self, to, add, names, media):
        """To our content-add."""
        content = contents(add)[0]
        number = next(p.get("id") for p in payloads(content) if p.get("name") == "VP8")
        return self.iq(to, "content-accept", add.get("sid"),
                       (self.groups(names) if group(add) else "") + self.video_content(
                           None if self.bundles else media, content.get("name"), "active", number))

    def check_video(self, jingle, names):
        """Our content-add or content-accept."""
        assert len(contents(jingle)) == 1, "one content in such a stanza"
        content = contents(jingle)[0]
        assert content.get("name") == names[-1]
        assert content.get("senders", "both") == "both"
        assert [p.get("name") for p in payloads(content)][0] == "VP8"
        if self.bundles:
            assert group(jingle) == names, "no group of all names"
        else:
            assert transport(content).get("ufrag") and fingerprint(content) is not None

    # -- what it refuses --

    def check_offer(self, offer):
        self.check_common(offer)
        for content in contents(offer):
            assert fingerprint(content).get("setup") == "actpass", "security-error"

    def check_answer(self, answer, offered):
        self.check_common(answer)
        assert [c.get("name") for c in contents(answer)] == offered, "contents in another order"
        setups = {fingerprint(c).get("setup") for c in contents(answer)}
        assert setups in ({"active"}, {"passive"}), f"setup {setups}"
        assert group(answer) == offered, "no group for a group"

    def check_common(self, jingle):
        assert contents(jingle), "no contents"
        for content in contents(jingle):
            name = content.get("name")
            assert re.fullmatch(r"[A-Za-z0-9_-]{1,16}", name), f"a mid of libwebrtc: {name}"
            assert content.get("creator") == "initiator"
            assert transport(content).get("ufrag") and transport(content).get("pwd")
            assert re.fullmatch("([0-9A-F]{2}:){31}[0-9A-F]{2}", fingerprint(content).text)
            assert fingerprint(content).get("hash") == "sha-256"
            assert description(content).find(f"{{{RTP}}}rtcp-mux") is not None, "no rtcp-mux"
            for payload in payloads(content):
                assert payload.get("id").isdigit() and payload.get("clockrate").isdigit()
                assert payload.get("name") and " " not in payload.get("name")
            for parameter in description(content).iter():
                if parameter.tag.endswith("}parameter"):
                    assert parameter.get("name"), "a parameter without a name"
                    assert parameter.get("value"), "a parameter without a value"
                    assert " " not in parameter.get("name") + parameter.get("value")
            for candidate in transport(content).findall(f"{{{ICE}}}candidate"):
                for attribute in ("foundation", "component", "protocol", "priority", "ip", "port",
                                  "type", "id", "generation"):
                    assert candidate.get(attribute), f"a candidate without {attribute}"


class Conversations2023(Dialect):
    name = "conversations-2023"
    audio = "0"
    video = "1"
    late_candidates = True
    sid = "q3x/T+8b1nUwLkM0v2Z7dA"
    feedback = f"<rtcp-fb xmlns='{FB}' type='transport-cc'/>"

    def propose_id(self):
        return f"jm-propose-{self.sid}"

    def request(self):
        return f"<request xmlns='{RECEIPTS}'/>"

    def senders(self):
        return ""

    def device(self):
        return "<device xmlns='" + OMEMO + "' id='27183'/>"

    def candidate(self, media, index, candidate):
        return super().candidate(media, index, candidate).replace(" network='0'", "")

    def extras(self, media, answer):
        hdrext = "" if answer else (
            f"<rtp-hdrext xmlns='{HDREXT}' id='1' uri='urn:ietf:params:rtp-hdrext:ssrc-audio-level'/>"
            f"<extmap-allow-mixed xmlns='{HDREXT}'/>")
        return (hdrext + f"<source xmlns='{SSMA}' ssrc='{media.ssrc}'>"
                "<parameter name='cname' value='rKd5vV9u'/>"
                "<parameter name='msid' value='my-media-stream'/></source>")


class ConversationsCurrent(Conversations2023):
    """2.19: gives a proposal up after 12 s without a sign of life, and marks its transports."""
    name = "conversations-2.19"
    sid = "q3x_T-8b1nUwLkM0v2Z7dA"

    def transport(self, media, setup, inside=""):
        return super().transport(media, setup, inside + f"<trickle xmlns='{TRICKLE}'/>"
                                 f"<renomination xmlns='{TRICKLE}'/>")


class Dino(Dialect):
    """A strict parser of its own: no bundle, SDES beside DTLS, two components."""
    name = "dino"
    bundles = False

    def groups(self, names):
        return ""

    def device(self):
        return "<device xmlns='" + OMEMO + "' id='31415'/>"

    def extras(self, media, answer):
        return ("<encryption><crypto crypto-suite='AES_CM_128_HMAC_SHA1_80' "
                "key-params='inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj' tag='1'/>"
                "</encryption>")

    def all_candidates(self, media):
        first = super().all_candidates(media)
        second = first.replace("component='1'", "component='2'").replace("id='c", "id='d")
        return first + second

    def check_offer(self, offer):
        super().check_offer(offer)
        self.check_plain(offer)

    def check_answer(self, answer, offered):
        self.check_common(answer)
        self.check_plain(answer)
        assert [c.get("name") for c in contents(answer)] == offered
        assert payloads(contents(answer)[0])[0].get("name") == "opus", "it takes the first only"

    def check_plain(self, jingle):
        for content in contents(jingle):
            assert content.get("senders") != "none", "bad-request"
            assert description(content).find(f"{{{RTP}}}encryption") is None, "SDES inside DTLS"


class PsiNext(Dialect):
    """Psi's native calls: an answer has nothing that the offer had not, and hardly anything else."""
    name = "psi-next"
    initiator = True
    audio = "rtp-1"

    def offer(self, me, to, media):
        return super().offer(me, to, media).replace("><", ">\n  <")

    def groups(self, names):
        return super().groups(names) if len(names) > 1 else ""

    video = "camera-0123456789abcdef0123456789abcdef"
    bundles = False

    def check_answer(self, answer, offered):
        self.check_common(answer)
        assert [c.get("name") for c in contents(answer)] == offered
        assert not group(answer), "a group that was not offered"
        for content in contents(answer):
            for child in description(content):
                assert child.tag in (f"{{{RTP}}}payload-type", f"{{{RTP}}}rtcp-mux"), child.tag
            for payload in payloads(content):
                assert payload.get("id") == self.opus[0], "a payload type that was not offered"
                for child in payload:
                    assert child.tag == f"{{{RTP}}}parameter", child.tag
            self.check_transport(content)

    def check_offer(self, offer):
        super().check_offer(offer)
        for content in contents(offer):
            self.check_transport(content)

    def check_transport(self, content):
        ids = []
        for child in transport(content):
            if child.tag == f"{{{ICE}}}candidate":
                assert child.get("protocol") == "udp"
                assert child.get("rel-port") != "0", "a related port of 0"
                assert 1 <= int(child.get("priority")) < 2 ** 31
                ids.append(child.get("id"))
            else:
                assert not child.tag.startswith(f"{{{ICE}}}"), child.tag
        assert len(ids) == len(set(ids)), "two candidates with one id"


class QXmppNext(Dialect):
    """QXmpp 1.11: no message initiation; writes OPUS, whole contents again and again, no reasons."""
    name = "qxmpp-1.11"
    messages = False
    initiator = True
    audio = "microphone"
    opus = ("98", "OPUS")
    features = tuple(f for f in Dialect.features if f != MESSAGE)

    def groups(self, names):
        return ""

    def trickle(self, to, sid, name, media):
        return [self.iq(to, "transport-info", sid, self.content(media, name, self.setup))]

    def terminate(self, to, sid):
        return self.iq(to, "session-terminate", sid, "")

    def check_answer(self, answer, offered):
        self.check_common(answer)
        assert [c.get("name") for c in contents(answer)] == offered
        assert payloads(contents(answer)[0])[0].get("name") == "OPUS", "compared as it is spelled"


ENCRYPTED = [Conversations2023, ConversationsCurrent, Dino, PsiNext, QXmppNext]


class Gajim(Dialect):
    """Gajim 1.7: plain RTP, two components, TCP candidates with port 0. It takes its leave by
    removing the content."""
    name = "gajim-1.7"
    messages = False
    initiator = True
    audio = "voice"
    opus = ("96", "OPUS")
    codec = "opus"
    features = (JINGLE, RTP, RTP.replace(":rtp:1", ":rtp:audio"), ICE)

    def groups(self, names):
        return ""

    def candidate(self, media, index, candidate):
        text = super().candidate(media, index, candidate)
        return text.replace("component='1'", f"component='{candidate.component}'")

    def description(self, media, answer):
        number = answer[0] if answer else self.opus[0]
        return (f"<description xmlns='{RTP}' media='audio'>"
                f"<payload-type id='{number}' name='{self.opus[1]}' clockrate='48000'/>"
                "</description>")

    def transport(self, media, setup, inside=""):
        tcp = ("<candidate component='1' foundation='1' generation='0' id='t' ip='127.0.0.1' "
               "network='0' port='0' priority='1' protocol='tcp' type='host'/>")
        return (f"<transport xmlns='{ICE}' ufrag='{media.ufrag}' pwd='{media.pwd}'>{inside}{tcp}"
                "</transport>")

    def after_accept(self, to, sid, name):
        return [self.iq(to, "description-info", sid, f"<content creator='initiator' name='{name}'>"
                        f"{self.description(None, None)}</content>")]

    def hang_up(self, to, sid, name):
        return [self.iq(to, "content-remove", sid,
                        f"<content creator='initiator' name='{name}'/>"),
                self.terminate(to, sid)]

    def check_offer(self, offer):
        self.check_plain(offer)

    def check_answer(self, answer, offered):
        self.check_plain(answer)
        assert [c.get("name") for c in contents(answer)] == offered, "content does not exist"
        codec = payloads(contents(answer)[0])[0]
        assert codec.get("id") == self.opus[0]
        assert codec.get("name") == self.opus[1], "not spelled as it was offered"

    def check_plain(self, jingle):
        """All of them together: Gajim waits for channels, Psi answers errors to what it does not
        know."""
        assert not group(jingle)
        assert len(contents(jingle)) == 1, "one voice"
        content = contents(jingle)[0]
        assert content.get("creator") == "initiator" and content.get("senders") == "both"
        for payload in description(content):
            assert payload.tag == f"{{{RTP}}}payload-type", payload.tag
            assert len(payload) == 0, "parameters"
            assert set(payload.attrib) <= {"id", "name", "clockrate", "channels"}
            if payload.get("name").lower() == "opus":
                assert payload.get("channels") == "2", "the microphone of Gajim dies of it"
        for candidate in transport(content):
            assert candidate.tag == f"{{{ICE}}}candidate", candidate.tag
        components = {c.get("component") for c in transport(content)}
        assert components == {"1", "2"}, "not all candidates are there"


class PsiOld(Gajim):
    """Psi before its native calls."""
    name = "psi-1.5"
    audio = "A"
    opus = ("97", "opus")

    def after_accept(self, to, sid, name):
        return []

    def hang_up(self, to, sid, name):
        return [self.terminate(to, sid)]


class QXmppOld(Gajim):
    """QXmpp 1.10 says everything again with each candidate, and has no reason to go. It knows opus
    as OPUS alone, so an offer of ours leaves G.711."""
    name = "qxmpp-1.10"
    audio = "microphone"
    opus = ("98", "OPUS")

    def trickle(self, to, sid, name, media):
        return [self.iq(to, "transport-info", sid, self.content(media, name, self.setup))]

    def content(self, media, name, setup, answer=None):
        text = super().content(media, name, setup, answer)
        return text.replace("clockrate='48000'", "clockrate='48000' channels='2'")

    def answer(self, me, to, media, offer):
        text = super().answer(me, to, media, offer)
        number = contents(offer)[0].findall(f".//{{{RTP}}}payload-type[@name='opus']")[0].get("id")
        return text.replace(f"id='{number}' name='OPUS' clockrate='48000' channels='2'",
                            "id='0' name='PCMU' clockrate='8000'")

    def after_accept(self, to, sid, name):
        return []

    def hang_up(self, to, sid, name):
        return [self.iq(to, "session-terminate", sid, "")]


PLAIN = [Gajim, PsiOld, QXmppOld]
