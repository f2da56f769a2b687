// mogocred through JDBC. Prints "ok NAME" or "FAILED NAME: why" for each of the ten things
// that every driver's test does (see ../README.md). Connects as PG* says.

import java.nio.charset.StandardCharsets;
import java.sql.*;
import java.time.OffsetDateTime;
import java.util.*;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;
import org.postgresql.util.PSQLException;

public class Jdbc {
    static final String NAME = "driver JDBC";
    static final OffsetDateTime EXPIRY = OffsetDateTime.parse("2035-01-01T00:00:00Z");
    static Connection conn;

    static void report(String name, boolean ok, Object got) {
        System.out.println(ok ? "ok " + name : "FAILED " + name + ": " + got);
    }

    static Connection connect() throws SQLException {
        Map<String, String> env = System.getenv();
        return DriverManager.getConnection("jdbc:postgresql://" + env.get("PGHOST") + ":" + env.get("PGPORT") + "/"
            + env.get("PGDATABASE"), env.get("PGUSER"), env.get("PGPASSWORD"));
    }

    /** Runs SQL with parameters; the driver sends a java.util.UUID as uuid and a String as varchar. */
    static ResultSet run(String sql, Object... params) throws SQLException {
        PreparedStatement st = conn.prepareStatement(sql);
        for (int i = 0; i < params.length; i++)
            st.setObject(i + 1, params[i]);
        return st.executeQuery();
    }

    static boolean verify(Object id, String secret) throws SQLException {
        ResultSet rs = run("SELECT mogo_verify(?, ?)", id, secret);
        rs.next();
        boolean answer = rs.getBoolean(1);
        if (rs.wasNull())
            throw new SQLException("mogo_verify answered NULL");
        return answer;
    }

    /** The row of mogo_authenticate in Java's own types; empty where there is none. */
    static List<Object> authenticated(ResultSet rs) throws SQLException {
        if (!rs.next())
            return List.of();
        return List.of(rs.getObject("client_id", UUID.class), rs.getString("client_name"),
            List.of((String[]) rs.getArray("scopes").getArray()), rs.getString("metadata"),
            rs.getObject("secret_id", UUID.class), rs.getObject("expires_at", OffsetDateTime.class));
    }

    static String header(UUID id, String secret) {
        return "Basic " + Base64.getEncoder().encodeToString((id + ":" + secret).getBytes(StandardCharsets.UTF_8));
    }

    public static void main(String[] args) throws SQLException {
        conn = connect();
        System.out.println("# " + conn.getMetaData().getDriverVersion());

        ResultSet rs = run("SELECT * FROM mogo_add_client(?, ?, ?, '{\"tier\": 1}')", NAME, EXPIRY,
            conn.createArrayOf("text", new String[] {"read", "write"}));
        rs.next();
        UUID id = rs.getObject("client_id", UUID.class), secretId = rs.getObject("secret_id", UUID.class);
        String secret = rs.getString("client_secret");
        report("add", NAME.equals(rs.getString("client_name")) && id.version() == 4 && secret.length() == 36
            && EXPIRY.isEqual(rs.getObject("expires_at", OffsetDateTime.class)), "the row's types");

        rs = run("SELECT mogo_credentials_json(?, ?, ?)", NAME, id, secret);
        rs.next();
        report("json", rs.getString(1).equals("{\n  \"clientName\": \"" + NAME + "\",\n  \"clientId\": \"" + id
            + "\",\n  \"clientSecret\": \"" + secret + "\"\n}"), "the file");

        report("verify uuid", verify(id, secret) && !verify(id, "wrong"), "");
        report("verify text", verify(id.toString(), secret) && !verify("no-uuid", secret), "");

        PreparedStatement nulls = conn.prepareStatement("SELECT mogo_verify(?, ?)");
        nulls.setNull(1, Types.OTHER, "uuid");
        nulls.setString(2, secret);
        rs = nulls.executeQuery();
        rs.next();
        report("null", !rs.getBoolean(1) && !rs.wasNull() && !verify(id, null) && !verify(id.toString(), null), "");

        // From its fifth execution on the driver has the server prepare the statement.
        PreparedStatement check = conn.prepareStatement("SELECT mogo_verify(?, ?)");
        boolean ok = true;
        for (int i = 0; i < 10; i++) {
            check.setObject(1, id);
            check.setString(2, i % 2 == 1 ? secret : "wrong");
            rs = check.executeQuery();
            rs.next();
            ok &= rs.getBoolean(1) == (i % 2 == 1);
        }
        rs = run("SELECT count(*) FROM pg_prepared_statements WHERE statement = 'SELECT mogo_verify($1, $2)'");
        rs.next();
        report("prepared", ok && rs.getInt(1) >= 1, rs.getInt(1));

        List<Object> expected = List.of(id, NAME, List.of("read", "write"), "{\"tier\": 1}", secretId, EXPIRY);
        List<Object> found = authenticated(run("SELECT * FROM mogo_authenticate(?, ?)", id, secret));
        report("authenticate", found.equals(expected)
            && authenticated(run("SELECT * FROM mogo_authenticate(?, ?)", id, "wrong")).isEmpty(), found);
        found = authenticated(run("SELECT * FROM mogo_authenticate_basic(?)", header(id, secret)));
        report("basic", found.equals(expected)
            && authenticated(run("SELECT * FROM mogo_authenticate_basic(?)", header(id, "wrong"))).isEmpty(), found);

        try {
            run("SELECT * FROM mogo_add_client(?)", NAME);
            report("sqlstate", false, "no error");
        } catch (PSQLException e) {
            report("sqlstate", "23505".equals(e.getSQLState()) && e.getMessage().contains(NAME), e.getSQLState());
        }

        conn.createStatement().execute("LISTEN mogocred");
        try (Connection other = connect(); PreparedStatement st = other.prepareStatement("SELECT mogo_disable_client(?)")) {
            st.setObject(1, id);
            st.executeQuery();
        }
        PGNotification[] notices = conn.unwrap(PGConnection.class).getNotifications(10000);
        report("listen", notices.length == 1 && notices[0].getName().equals("mogocred")
            && notices[0].getParameter().contains("\"client_disabled\"")
            && notices[0].getParameter().contains(id.toString()), Arrays.toString(notices));
        conn.close();
    }
}
