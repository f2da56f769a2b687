require 'logger'
require 'sequel'
require 'stringio'
require_relative 'conversation'
require_relative 'snippet'

SERVER = { adapter: 'postgres', host: ENV['PGHOST'], port: ENV['PGPORT'], database: ENV['PGDATABASE'],
           user: ENV['PGUSER'], password: ENV['PGPASSWORD'] }.freeze
db = Sequel.connect(SERVER)
db.extension :pg_array

# With a replica that is not there.
def replica_first?
  split = Sequel.connect(SERVER.merge(servers: { read_only: { port: 1 } }))
  split.fetch('SELECT 1').server(:default).first
  split.fetch('SELECT 1').first
  false
rescue Sequel::DatabaseConnectionError
  true
end

converse(Sequel.version, ->(error) { error.wrapped_exception.result.error_field(PG::Result::PG_DIAG_SQLSTATE) }) do |call, *args|
  case call
  when :traps
    log = StringIO.new
    db.loggers << Logger.new(log)
    authenticate(db, *args[0, 2])
    db.loggers.clear
    { 'the log has the secret' => log.string.include?(args[1]),
      'an array expands' => db.fetch('SELECT mogo_f(?)', %w[a b]).sql.include?("('a', 'b')"),
      'fetch goes to a replica' => replica_first?,
      'a boolean is one' => db.fetch('SELECT mogo.mogo_verify(?, ?) AS ok', args[0], 'x').get(:ok) == false }
  else send(call, db, *args)
  end
end
