-- The client's side of a conversation with judge.py (see ../README.md).
local here = arg[0]:match("(.*/)")
local luasql = require("luasql.postgres")
local mogo = dofile(here .. "snippet.lua")

local env = os.getenv
local db = assert(luasql.postgres():connect(env("PGDATABASE"), env("PGUSER"), env("PGPASSWORD"), env("PGHOST"), env("PGPORT")))
db:execute("SET client_min_messages = warning")

local function json(scopes) return '["' .. scopes:gsub(",", '","') .. '"]' end

local answer = {}
function answer.authenticate(id, secret)
  local row = mogo.authenticate(db, id, secret)
  if not row then return "none" end
  return "row", row.client_name, (row.scopes:gsub('[%["%]]', ""))
end
function answer.add(name, scopes)
  local row = mogo.add(db, name, json(scopes))
  return "added", row.client_id, row.client_secret, row.secret_id
end
function answer.revoke(secret_id)
  mogo.revoke(db, secret_id)
  return "done"
end
function answer.traps(id)
  local wrong = db:execute("SELECT mogo.mogo_verify('" .. id .. "', 'wrong')"):fetch()
  print("trap", wrong == "f" and "yes" or "no", "a wrong secret is 'f'")
  print("trap", wrong and "yes" or "no", "and 'f' is true")
  return "end"
end

io.stdout:setvbuf("no")
print("# " .. luasql._VERSION:match("[%d.]+") .. ", " .. _VERSION)
for line in io.lines() do
  local words = {}
  for word in (line .. "\t"):gmatch("(.-)\t") do words[#words + 1] = word end
  local said = table.pack(pcall(answer[words[1]], table.unpack(words, 2)))
  if not said[1] then
    -- LuaSQL has the message, not the SQLSTATE
    local state = said[2]:find("already exists") and "23505" or said[2]:find("does not exist") and "42704" or "?"
    said = { "", "error", state, said[2] }
  end
  print((table.concat(said, "\t", 2):gsub("\n", " ")))
end
