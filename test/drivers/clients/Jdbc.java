import java.sql.*;
import java.util.*;

class Main implements Conversation {
    final Connection db;

    Main(Connection db) { this.db = db; }

    public static void main(String[] args) throws Exception {
        Connection db = connect();
        new Main(db).converse(db.getMetaData().getDriverVersion());
    }

    static Connection connect() throws SQLException {
        Map<String, String> env = System.getenv();
        return DriverManager.getConnection("jdbc:postgresql://" + env.get("PGHOST") + ":" + env.get("PGPORT") + "/"
            + env.get("PGDATABASE"), env.get("PGUSER"), env.get("PGPASSWORD"));
    }

    public Optional<Mogo.Client> authenticate(String id, String secret) throws SQLException {
        return Mogo.authenticate(db, id, secret);
    }

    public Mogo.Credentials add(String name, List<String> scopes) throws SQLException {
        return Mogo.add(db, name, scopes);
    }

    public void revoke(UUID secretId) throws SQLException { Mogo.revoke(db, secretId); }

    public Map<String, Boolean> traps(String id, String secret, UUID secretId) throws SQLException {
        Map<String, Boolean> traps = new LinkedHashMap<>();
        PreparedStatement revoke = db.prepareStatement("SELECT mogo.mogo_revoke_secret(?)");
        revoke.setString(1, secretId.toString());
        traps.put("setString for a uuid: no such function", Conversation.fails(revoke::execute));
        try (Connection other = connect()) {
            other.setAutoCommit(false);
            Mogo.revoke(other, secretId);
        }
        try (Connection other = connect()) {
            other.setAutoCommit(false);
            other.setReadOnly(true);
            Mogo.revoke(other, secretId);
        } catch (SQLException error) {
            traps.put("read-only: 25006", error.getSQLState().equals("25006"));
        }
        traps.put("the log prints the secret",
            Conversation.logged("org.postgresql", () -> authenticate(id, secret)).contains(secret));
        traps.put("without autocommit, revoked and closed: still good", authenticate(id, secret).isPresent());
        revoke.setObject(1, secretId);
        traps.put("executeUpdate: an error", Conversation.fails(revoke::executeUpdate));
        traps.put("and done", authenticate(id, secret).isEmpty());
        return traps;
    }
}
