-- Lets a test speak as anyone: what is inside of <inject xmlns='urn:test:inject'/> in a message to
-- the host is routed as it is, with the sender that it names. Where it has ufrag='true' that
-- sender's real ICE credentials are filled in. Answers to IQs whose id begins with "inject-" go,
-- inside of <answer xmlns='urn:test:inject'/>, to the one who injected last.
local st = require "util.stanza";

local injector;
local credentials = {}; -- full JID → attributes of the last <transport/> that it sent

local function each_transport(stanza, fn)
	local jingle = stanza:get_child("jingle", "urn:xmpp:jingle:1");
	for content in (jingle or stanza):childtags("content", "urn:xmpp:jingle:1") do
		local transport = content:get_child("transport", "urn:xmpp:jingle:transports:ice-udp:1");
		if transport and transport.attr.ufrag then fn(transport); end
	end
end

module:hook("message/host", function(event)
	local wrapper = event.stanza:get_child("inject", "urn:test:inject");
	if not wrapper then return; end
	injector = event.stanza.attr.from;
	for _, stanza in ipairs(wrapper.tags) do
		local copy = st.clone(stanza);
		copy.attr.xmlns = nil;
		each_transport(copy, function (transport)
			local real = credentials[copy.attr.from];
			if real and transport.attr.ufrag == "true" then
				transport.attr.ufrag, transport.attr.pwd = real.ufrag, real.pwd;
			end
		end);
		prosody.core_post_stanza(prosody.hosts[module.host], copy, true);
		-- White space after it sets a long token free that the receiver's Expat puts off.
		local session = prosody.full_sessions[copy.attr.to];
		if session then session.send((" "):rep(#tostring(copy))); end
	end
	return true;
end);

module:hook("pre-iq/full", function(event)
	local stanza = event.stanza;
	each_transport(stanza, function (transport)
		credentials[stanza.attr.from] = { ufrag = transport.attr.ufrag, pwd = transport.attr.pwd };
	end);
	local id = stanza.attr.id or "";
	if not injector or not id:find("^inject%-") then return; end
	if stanza.attr.type ~= "result" and stanza.attr.type ~= "error" then return; end
	local copy = st.clone(stanza);
	copy.attr.xmlns = "jabber:client";
	module:send(st.message({ to = injector, from = module.host, type = "headline" })
		:tag("answer", { xmlns = "urn:test:inject" }):add_child(copy));
	return true;
end, 1000);
