# doc/migrations.md: Rails' schema.rb, dumped and loaded.
require 'active_record'
require 'stringio'

def connect(database)
  ActiveRecord::Base.establish_connection(adapter: 'postgresql', database: database)
  ActiveRecord::Base.connection
end

def dump(database)
  text = StringIO.new
  ActiveRecord::SchemaDumper.dump(connect(database), text)
  text.string
end

def load_schema(text)
  ActiveRecord::Schema.verbose = false
  eval(text) # what db:schema:load does
  nil
rescue ActiveRecord::StatementInvalid => e
  e.message
end

def check(what, ok, seen = nil)
  puts ok ? "ok #{what}" : "FAILED #{what}: #{seen.inspect}"
end

schema = dump('own')
check('the extension stands before pgcrypto', schema =~ /enable_extension "mogocred"\s+enable_extension "pgcrypto"/, schema)
check('a schema of its own: no table of ours', !schema.include?('mogo_'), schema)
connect('postgres').execute('CREATE DATABASE loaded')
connect('loaded')
said = load_schema(schema)
check('loaded into an empty database: fails', said&.include?('required extension "pgcrypto" is not installed'), said)
db = connect('loaded')
db.execute(File.read("#{ENV['BLOCKS']}/superuser.sql/snippet.sql"))
said = load_schema(schema)
check('loaded after the extension', said.nil?, said)
where = db.select_value("SELECT extnamespace::regnamespace::text FROM pg_extension WHERE extname = 'mogocred'")
check('which is where it was', where == 'mogo', where)
check('in public: our tables are dumped', dump('in_public').include?('create_table "mogo_secret"'))
load "#{ENV['BLOCKS']}/mogocred.rb/snippet.rb"
check('in public, with the filter: they are not', !dump('in_public').include?('create_table "mogo_'))
connect('postgres').execute('DROP DATABASE loaded WITH (FORCE)')
puts 'end'
