# The client's side of a conversation with judge.py (see ../README.md): one line for each call
# on standard input, one line for its answer on standard output.
$stdout.sync = true

# Answers until the input ends. The block gives the answers: to :authenticate a row or nil,
# to :add a row, to :traps a hash of what and whether it is there. sqlstate maps an
# exception to its SQLSTATE.
def converse(version, sqlstate)
  puts "# #{version}"
  $stdin.each_line(chomp: true) do |line|
    call, *args = line.split("\t", -1)
    answer =
      begin
        args[1] = args[1].split(',') if call == 'add'
        found = yield(call.to_sym, *args)
        found = found.transform_keys(&:to_s) if %w[authenticate add].include?(call) && found
        case call
        when 'authenticate' then found ? ['row', found['client_name'], found['scopes'].join(',')] : ['none']
        when 'add' then ['added', *found.values_at('client_id', 'client_secret', 'secret_id')]
        when 'revoke' then ['done']
        when 'traps'
          (found || {}).each { |what, there| puts "trap\t#{there ? 'yes' : 'no'}\t#{what}" }
          ['end']
        end
      rescue StandardError => e
        ['error', (sqlstate.call(e) rescue '?'), e.inspect]
      end
    puts answer.join("\t").tr("\n", ' ')
  end
end
