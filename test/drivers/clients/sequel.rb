require 'logger'
require 'sequel'
require 'stringio'
require_relative 'conversation'
require_relative 'snippet'

db = Sequel.connect(adapter: 'postgres', host: ENV['PGHOST'], port: ENV['PGPORT'], database: ENV['PGDATABASE'],
                    user: ENV['PGUSER'], password: ENV['PGPASSWORD'])
db.extension :pg_array
converse(Sequel.version, ->(error) { error.wrapped_exception.result.error_field(PG::Result::PG_DIAG_SQLSTATE) }) do |call, *args|
  case call
  when :traps
    log = StringIO.new
    db.loggers << Logger.new(log)
    authenticate(db, *args[0, 2])
    db.loggers.clear
    { 'the log has the secret' => log.string.include?(args[1]),
      'an array expands' => db.fetch('SELECT mogo_f(?)', %w[a b]).sql.include?("('a', 'b')"),
      'a boolean is one' => db.fetch('SELECT mogo.mogo_verify(?, ?) AS ok', args[0], 'x').get(:ok) == false }
  else send(call, db, *args)
  end
end
