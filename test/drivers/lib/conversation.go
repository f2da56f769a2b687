// The client's side of a conversation with judge.py (see ../README.md): one line for each call
// on standard input, one line for its answer on standard output.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
)

type calls struct {
	authenticate func(id, secret string) (*Client, error)
	add          func(name string, scopes []string) (Credentials, error)
	revoke       func(secretID string) error
	traps        func(id, secret string) map[string]bool
	sqlstate     func(error) string
}

// Answers until the input ends.
func converse(version string, c calls) {
	fmt.Println("# " + version)
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		answer, err := c.answer(strings.Split(in.Text(), "\t"))
		if err != nil {
			answer = "error\t" + c.sqlstate(err) + "\t" + err.Error()
		}
		fmt.Println(strings.ReplaceAll(answer, "\n", " "))
	}
}

func (c calls) answer(line []string) (string, error) {
	switch line[0] {
	case "authenticate":
		client, err := c.authenticate(line[1], line[2])
		if err != nil {
			return "", err
		}
		if client == nil {
			return "none", nil
		}
		return "row\t" + client.Name + "\t" + strings.Join(client.Scopes, ","), nil
	case "add":
		added, err := c.add(line[1], strings.Split(line[2], ","))
		return "added\t" + added.ClientID + "\t" + added.ClientSecret + "\t" + added.SecretID, err
	case "revoke":
		return "done", c.revoke(line[1])
	}
	for what, there := range c.traps(line[1], line[2]) {
		fmt.Printf("trap\t%s\t%s\n", map[bool]string{true: "yes", false: "no"}[there], what)
	}
	return "end", nil
}
