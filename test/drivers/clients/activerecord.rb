require 'active_record'
require 'stringio'
require_relative 'conversation'
require_relative 'snippet'

ActiveRecord::Base.establish_connection(adapter: 'postgresql') # as PG* says

def traps(db, id, secret, secret_id)
  check = "SELECT count(*) FROM mogo.mogo_authenticate('#{id}', '#{secret}')"
  before = db.select_value(check)
  PG.connect.exec_params('SELECT mogo.mogo_revoke_secret($1)', [secret_id])
  log = StringIO.new
  ActiveRecord::Base.logger = Logger.new(log)
  ApiClient.authenticate(id, secret)
  ActiveRecord::Base.logger = nil
  { 'a check from the cache after a revocation' => before == 1 && db.select_value(check) == 1,
    'not so with the block above' => ApiClient.authenticate(id, secret).nil?,
    'a boolean is one' => db.select_value("SELECT mogo.mogo_verify('#{id}', 'x')") == false,
    'the debug log prints the secret' => log.string.include?(secret) }
end

ActiveRecord::Base.connection # else cache does nothing

# As in a request, where the query cache is on.
ActiveRecord::Base.cache do
  converse(ActiveRecord.version, ->(error) { error.cause.result.error_field(PG::Result::PG_DIAG_SQLSTATE) }) do |call, *args|
    call == :traps ? traps(ActiveRecord::Base.connection, *args) : ApiClient.send(call, *args)
  end
end
