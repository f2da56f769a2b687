// The client's side of a conversation with judge.py (see ../README.md).
mod snippet;

use std::io::BufRead;
use tokio_postgres::{Client, Config, Error, NoTls};

async fn answer(db: &Client, line: &[&str]) -> Result<String, Error> {
    match line[0] {
        "authenticate" => Ok(match snippet::authenticate(db, line[1], line[2]).await? {
            Some(row) => format!("row\t{}\t{}", row.get::<_, &str>("client_name"), row.get::<_, Vec<String>>("scopes").join(",")),
            None => "none".to_string(),
        }),
        "add" => {
            let scopes: Vec<String> = line[2].split(',').map(String::from).collect();
            let row = snippet::add(db, line[1], &scopes).await?;
            Ok(format!("added\t{}\t{}\t{}", row.get::<_, &str>(0), row.get::<_, &str>(1), row.get::<_, &str>(2)))
        }
        "revoke" => snippet::revoke(db, line[1]).await.map(|_| "done".to_string()),
        _ => {
            let refused = db.execute("SELECT mogo.mogo_revoke_secret($1)", &[&line[3]]).await.is_err();
            println!("trap\t{}\ta &str is no uuid", if refused { "yes" } else { "no" });
            Ok("end".to_string())
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let env = |name| std::env::var(name).unwrap();
    let (db, connection) = Config::new().host(&env("PGHOST")).port(env("PGPORT").parse().unwrap()).dbname(&env("PGDATABASE"))
        .user(&env("PGUSER")).password(env("PGPASSWORD")).connect(NoTls).await?;
    tokio::spawn(connection);
    println!("# {}", env!("VERSION"));
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        let answer = match answer(&db, &line.split('\t').collect::<Vec<_>>()).await {
            Ok(answer) => answer,
            Err(error) => format!("error\t{}\t{}", error.code().map_or("", |state| state.code()), error),
        };
        println!("{}", answer.replace('\n', " "));
    }
    Ok(())
}
