// The client's side of a conversation with judge.py (see ../README.md).
#include <iostream>
#include <sstream>
#include <vector>
#include "snippet.hpp"

static std::vector<std::string> split(const std::string &line, char at)
{
    std::vector<std::string> parts{""};
    for (char c : line)
        if (c == at)
            parts.emplace_back();
        else
            parts.back() += c;
    return parts;
}

static std::string json(const std::string &scopes)
{
    std::string all;
    for (const auto &scope : split(scopes, ','))
        all += (all.empty() ? "[\"" : ",\"") + scope + "\"";
    return all + "]";
}

static std::string plain(std::string json)
{
    std::string all;
    for (char c : json)
        if (c != '"' && c != '[' && c != ']')
            all += c;
    return all;
}

static void traps(pqxx::connection &db, const std::string &id, const std::string &secret, const std::string &secret_id)
{
    {
        pqxx::work work(db);
        work.exec_params("SELECT mogo.mogo_revoke_secret($1)", secret_id);
    }
    std::cout << "trap\t" << (authenticate(db, id, secret) ? "yes" : "no") << "\ta work without commit\n";
    pqxx::work work(db);
    auto wrong = work.exec_params1("SELECT mogo.mogo_verify($1::text, $2)", id, "wrong")[0];
    std::cout << "trap\t" << (wrong.c_str() ? "yes" : "no") << "\tc_str() of false is true\n";
    std::cout << "trap\t" << (wrong.as<bool>() ? "no" : "yes") << "\tas<bool>() is right\n";
}

static std::string answer(pqxx::connection &db, const std::vector<std::string> &line)
{
    if (line[0] == "authenticate") {
        auto client = authenticate(db, line[1], line[2]);
        return client ? "row\t" + client->name + "\t" + plain(client->scopes) : "none";
    }
    if (line[0] == "add") {
        auto added = add(db, line[1], json(line[2]));
        return "added\t" + added.client_id + "\t" + added.client_secret + "\t" + added.secret_id;
    }
    if (line[0] == "revoke") {
        revoke(db, line[1]);
        return "done";
    }
    traps(db, line[1], line[2], line[3]);
    return "end";
}

int main()
{
    pqxx::connection db;  // as PG* says
    std::cout << "# " PQXX_VERSION << std::endl;
    for (std::string line; std::getline(std::cin, line);) {
        std::string said;
        try {
            said = answer(db, split(line, '\t'));
        } catch (const pqxx::sql_error &error) {
            said = "error\t" + error.sqlstate();
        }
        std::cout << said << std::endl;
    }
}
