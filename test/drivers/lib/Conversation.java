// The client's side of a conversation with judge.py (see ../README.md): one line for each call
// on standard input, one line for its answer on standard output.
import java.io.*;
import java.sql.SQLException;
import java.util.*;
import java.util.logging.*;

interface Conversation {
    Optional<Mogo.Client> authenticate(String id, String secret) throws Exception;

    Mogo.Credentials add(String name, List<String> scopes) throws Exception;

    void revoke(UUID secretId) throws Exception;

    // What, and whether it is there.
    Map<String, Boolean> traps(String id, String secret, UUID secretId) throws Exception;

    default void converse(String version) throws IOException {
        System.out.println("# " + version);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = in.readLine()) != null; ) {
            String answer;
            try {
                answer = answer(line.split("\t", -1));
            } catch (Exception error) {
                Throwable cause = error;
                while (!(cause instanceof SQLException) && cause.getCause() != null) cause = cause.getCause();
                answer = "error\t" + (cause instanceof SQLException sql ? sql.getSQLState() : "none") + "\t" + error;
            }
            System.out.println(answer.replace('\n', ' '));
        }
    }

    private String answer(String[] line) throws Exception {
        switch (line[0]) {
            case "authenticate":
                return authenticate(line[1], line[2])
                    .map(c -> "row\t" + c.name() + "\t" + String.join(",", c.scopes())).orElse("none");
            case "add":
                Mogo.Credentials c = add(line[1], List.of(line[2].split(",")));
                return "added\t" + c.clientId() + "\t" + c.clientSecret() + "\t" + c.secretId();
            case "revoke":
                revoke(UUID.fromString(line[1]));
                return "done";
            default:
                traps(line[1], line[2], UUID.fromString(line[3])).forEach((what, there) ->
                    System.out.println("trap\t" + (there ? "yes" : "no") + "\t" + what));
                return "end";
        }
    }

    interface Doing { void run() throws Exception; }

    // What a logger is given while it is done.
    static String logged(String name, Doing doing) {
        StringBuilder all = new StringBuilder();
        Logger logger = Logger.getLogger(name);
        Handler handler = new Handler() {
            public void publish(LogRecord record) { all.append(new SimpleFormatter().formatMessage(record)); }
            public void flush() {}
            public void close() {}
        };
        handler.setLevel(Level.ALL);
        logger.setUseParentHandlers(false);
        logger.addHandler(handler);
        logger.setLevel(Level.ALL);
        fails(doing);
        logger.setLevel(Level.OFF);
        return all.toString();
    }

    // Whether doing it fails.
    static boolean fails(Doing doing) {
        try {
            doing.run();
            return false;
        } catch (Exception error) {
            return true;
        }
    }
}
