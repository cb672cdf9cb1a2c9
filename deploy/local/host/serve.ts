import { createServer } from 'node:http';
import { getTestServer } from '@google-cloud/functions-framework/testing';
import { functions } from '../../../functions/index.ts';
import '../../../functions/serve.ts';

/**
 * All functions in one process, each under the functions framework, at `/<name>`. The framework itself serves one
 * function a process (https://github.com/GoogleCloudPlatform/functions-framework-nodejs/issues/645).
 */
const servers = new Map(Object.keys(functions).map((name) => [name, getTestServer(name)]));

createServer((request, response) => {
  const [, name = '', rest = '/'] = /^\/([^/?]*)(.*)$/.exec(request.url ?? '') ?? [];
  const server = servers.get(name);
  if (!server) return void response.writeHead(404).end();
  request.url = rest.startsWith('/') ? rest : `/${rest}`;
  server.emit('request', request, response);
}).listen(Number(process.env.PORT), '127.0.0.1');
