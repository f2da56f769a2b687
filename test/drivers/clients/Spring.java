import java.util.*;
import org.springframework.core.SpringVersion;
import org.springframework.dao.EmptyResultDataAccessException;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.DriverManagerDataSource;

class Main implements Conversation {
    final JdbcTemplate db;

    Main(JdbcTemplate db) { this.db = db; }

    public static void main(String[] args) throws Exception {
        Map<String, String> env = System.getenv();
        new Main(new JdbcTemplate(new DriverManagerDataSource("jdbc:postgresql://" + env.get("PGHOST") + ":"
            + env.get("PGPORT") + "/" + env.get("PGDATABASE"), env.get("PGUSER"), env.get("PGPASSWORD"))))
            .converse(SpringVersion.getVersion());
    }

    public Optional<Mogo.Client> authenticate(String id, String secret) { return Mogo.authenticate(db, id, secret); }

    public Mogo.Credentials add(String name, List<String> scopes) { return Mogo.add(db, name, scopes); }

    public void revoke(UUID secretId) { Mogo.revoke(db, secretId); }

    public Map<String, Boolean> traps(String id, String secret, UUID secretId) {
        Map<String, Boolean> traps = new LinkedHashMap<>();
        traps.put("the log prints the secret",
            Conversation.logged("org.springframework.jdbc.core.StatementCreatorUtils", () -> authenticate(id, secret))
                .contains(secret));
        traps.put("update: an error", Conversation.fails(() -> db.update("SELECT mogo.mogo_revoke_secret(?)", secretId)));
        traps.put("and done", authenticate(id, secret).isEmpty());
        try {
            db.queryForObject("SELECT client_name FROM mogo.mogo_authenticate(?, ?)", String.class, id, "wrong");
        } catch (EmptyResultDataAccessException e) {
            traps.put("queryForObject throws without a row", true);
        }
        traps.putIfAbsent("queryForObject throws without a row", false);
        return traps;
    }
}
