-- The domain names of a test: other servers are those of the file others.txt beside the data, with
-- a line "DOMAIN ADDRESS PORT" for each, and no others.
local adns = require "net.adns";

local path = require "util.paths".join(prosody.paths.data, "..", "others.txt");

local function find(domain)
	local file = io.open(path);
	if not file then return; end
	for line in file:lines() do
		local name, address, port = line:match("^(%S+) (%S+) (%d+)$");
		if name == domain then
			file:close();
			return address, tonumber(port);
		end
	end
	file:close();
end

local function lookup(_, answer, name, kind)
	local domain = name:gsub("^_xmpp%-server%._tcp%.", "");
	local address, port = find(domain);
	if not address then
		answer({});
	elseif kind == "SRV" and domain ~= name then
		answer({ { srv = { target = domain, port = port, priority = 0, weight = 0 } } });
	elseif kind == "A" then
		answer({ { a = address } });
	else
		answer({});
	end
end

adns.resolver = function () return { lookup = lookup }; end
