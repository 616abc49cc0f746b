-- Lets a test speak as anyone: what is inside of <inject xmlns='urn:test:inject'/> in a message to
-- the host is routed as it is, with the sender that it names. Answers to IQs whose id begins with
-- "inject-" go, inside of <answer xmlns='urn:test:inject'/>, to the one who injected last.
local st = require "util.stanza";

local injector;

module:hook("message/host", function(event)
	local wrapper = event.stanza:get_child("inject", "urn:test:inject");
	if not wrapper then return; end
	injector = event.stanza.attr.from;
	for _, stanza in ipairs(wrapper.tags) do
		local copy = st.clone(stanza);
		copy.attr.xmlns = nil;
		prosody.core_post_stanza(prosody.hosts[module.host], copy, true);
	end
	return true;
end);

module:hook("pre-iq/full", function(event)
	local stanza = event.stanza;
	local id = stanza.attr.id or "";
	if not injector or not id:find("^inject%-") then return; end
	if stanza.attr.type ~= "result" and stanza.attr.type ~= "error" then return; end
	local copy = st.clone(stanza);
	copy.attr.xmlns = "jabber:client";
	module:send(st.message({ to = injector, from = module.host, type = "headline" })
		:tag("answer", { xmlns = "urn:test:inject" }):add_child(copy));
	return true;
end, 1000);
