require_relative 'conversation'
require_relative 'snippet'

db = PG.connect # as PG* says
sqlstate = ->(error) { error.result.error_field(PG::Result::PG_DIAG_SQLSTATE) }
converse(PG::VERSION, sqlstate) do |call, *args|
  case call
  when :traps
    answer = db.exec_params('SELECT mogo.mogo_verify($1, $2)', [args[0], 'wrong'])
    text = answer.getvalue(0, 0)
    answer.type_map = PG::BasicTypeMapForResults.new(db)
    { 'a wrong secret is "f"' => text == 'f', 'and "f" is true' => text ? true : false,
      'with a type map it is false' => answer.getvalue(0, 0) == false }
  else send(call, db, *args)
  end
end
