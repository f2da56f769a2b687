// An API behind a server: answers with the headers that reached it. Its port is the argument.
import { createServer } from 'node:http'

createServer(({ headers }, response) => response.end(JSON.stringify(headers))).listen(process.argv[2], '127.0.0.1')
