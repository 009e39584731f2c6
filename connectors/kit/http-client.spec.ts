import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { callWithin } from './deadline.js';
import { HttpClient, parseRetryAfter, type HttpClientOptions, type HttpRequest } from './http-client.js';
import { selfSignedFor } from './self-signed-certificate.js';

const closing: (() => void)[] = [];
afterEach(() => closing.splice(0).forEach((close) => close()));

async function listen(server: TcpServer | Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    if ('closeAllConnections' in server) server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

async function serve(listener: RequestListener): Promise<string> {
  return `http://127.0.0.1:${await listen(createServer(listener))}`;
}

function clientOf(baseUrl: string, differing: Partial<HttpClientOptions> = {}, ms = 5_000): HttpClient {
  const client = new HttpClient({
    baseUrl,
    allowPrivateAddresses: true,
    call: callWithin(ms, 'attempt-1'),
    authorization: 'Bearer s3cret',
    ...differing,
  });
  closing.push(() => client.close());
  return client;
}

function json(status: number, body: unknown, headers: Record<string, string> = {}): RequestListener {
  return (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  };
}

const GET: HttpRequest = { method: 'GET', path: '/things' };
const POST: HttpRequest = { method: 'POST', path: '/things', body: { name: 'x' } };

it('sends the secret, the attempt’s id and JSON, and answers with JSON', async () => {
  const seen: Record<string, unknown> = {};
  const url = await serve((request, response) => {
    Object.assign(seen, { url: request.url, ...request.headers });
    json(201, { id: 1 })(request, response);
  });
  const answer = await clientOf(`${url}/api/`).request({ ...POST, query: { filter: 'a eq "b&c"' } });
  expect(answer).toMatchObject({ status: 201, body: { id: 1 } });
  expect(seen).toMatchObject({
    url: '/api/things?filter=a+eq+%22b%26c%22',
    authorization: 'Bearer s3cret',
    'x-request-id': 'attempt-1',
    'content-type': 'application/json',
  });
});

describe('the status of an answer decides the engine’s next step', () => {
  it.each([
    [400, 'invalid', 'invalid'],
    [401, 'auth-broken', 'auth-broken'],
    [403, 'forbidden', 'forbidden'],
    [404, 'not-found', 'not-found'],
    [405, 'unsupported', 'unsupported'],
    [409, 'conflict', 'conflict'],
    [412, 'conflict', 'conflict'],
    [422, 'invalid', 'invalid'],
    [429, 'rate-limited', 'rate-limited'],
    [500, 'transient', 'ambiguous'],
    [501, 'unsupported', 'unsupported'],
    [503, 'transient', 'ambiguous'],
  ])('%i: a GET is %s, a POST is %s', async (status, onGet, onPost) => {
    const client = clientOf(await serve(json(status, { detail: 'the provider’s own words, s3cret' })));
    await expect(client.request(GET)).rejects.toMatchObject({ kind: onGet });
    await expect(client.request(POST)).rejects.toMatchObject({
      kind: onPost,
      message: expect.not.stringContaining('s3cret'),
    });
  });

  it('500: a PUT and a DELETE can be repeated', async () => {
    const client = clientOf(await serve(json(500, {})));
    for (const method of ['PUT', 'DELETE'] as const) {
      await expect(client.request({ method, path: '/things/1' })).rejects.toMatchObject({ kind: 'transient' });
    }
  });
});

it('tells when a rate limit ends, and says nothing when the tool doesn’t', async () => {
  const before = Date.now();
  const limited = clientOf(await serve(json(429, {}, { 'retry-after': '30' }))).request(GET);
  const error = (await limited.catch((caught: unknown) => caught)) as { resetAt: Date };
  expect(error.resetAt.getTime()).toBeGreaterThanOrEqual(before + 30_000);
  expect(error.resetAt.getTime()).toBeLessThanOrEqual(Date.now() + 30_000);
  const silent = clientOf(await serve(json(429, {}))).request(GET);
  await expect(silent).rejects.toMatchObject({ kind: 'rate-limited', resetAt: undefined });
});

it('reads Retry-After in seconds and as a date', () => {
  const now = new Date('2026-11-23T10:00:00Z');
  expect(parseRetryAfter('90', now)).toEqual(new Date('2026-11-23T10:01:30Z'));
  expect(parseRetryAfter('Mon, 23 Nov 2026 10:05:00 GMT', now)).toEqual(new Date('2026-11-23T10:05:00Z'));
  expect(parseRetryAfter('Mon, 23 Nov 2026 09:00:00 GMT', now)).toEqual(now);
  expect(parseRetryAfter('soon', now)).toBeUndefined();
  expect(parseRetryAfter('9'.repeat(30), now)).toBeUndefined();
  expect(parseRetryAfter(undefined, now)).toBeUndefined();
});

it('never follows a redirect, and says so', async () => {
  let visited = false;
  const elsewhere = await serve((_request, response) => {
    visited = true;
    response.end();
  });
  const client = clientOf(await serve(json(302, {}, { location: elsewhere })));
  await expect(client.request(GET)).rejects.toMatchObject({
    kind: 'invalid',
    message: expect.stringContaining('redirects are never followed'),
  });
  expect(visited).toBe(false);
});

it('never leaves the base URL, whatever a path holds', async () => {
  let asked = 0;
  const url = await serve((request, response) => {
    asked += 1;
    json(200, {})(request, response);
  });
  const client = clientOf(`${url}/api`);
  for (const path of [
    '/../admin',
    '@evil.example/',
    '.evil.example/x',
    '/%2e%2e/admin',
    '/Users/..',
    '//evil.example/..',
  ]) {
    await expect(client.request({ method: 'GET', path })).rejects.toMatchObject({ kind: 'invalid' });
  }
  expect(asked).toBe(0);
});

it.each([200, 404])('tells a page that isn’t the API from an answer (%i)', async (status) => {
  const url = await serve((_request, response) => {
    response.writeHead(status, { 'content-type': 'text/html; charset=utf-8' }).end('<h1>Sign in</h1>');
  });
  await expect(clientOf(url).request(GET)).rejects.toMatchObject({
    kind: 'invalid',
    message: expect.stringMatching(/a page that isn’t the API \(text\/html\)/),
  });
});

it('calls a change that was answered well in another format ambiguous, and one that was refused so not', async () => {
  let status = 200;
  const url = await serve((_request, response) => {
    response.writeHead(status, { 'content-type': 'text/plain' }).end('OK');
  });
  await expect(clientOf(url).request(POST)).rejects.toMatchObject({ kind: 'ambiguous' });
  status = 404;
  await expect(clientOf(url).request(POST)).rejects.toMatchObject({ kind: 'invalid' });
});

it('calls broken JSON after a change ambiguous, and after a look transient', async () => {
  const url = await serve((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"id":');
  });
  await expect(clientOf(url).request(POST)).rejects.toMatchObject({ kind: 'ambiguous' });
  await expect(clientOf(url).request(GET)).rejects.toMatchObject({ kind: 'transient' });
});

it('stops reading an answer that is too large', async () => {
  const url = await serve((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const more = setInterval(() => response.write('x'.repeat(10_000)), 1);
    response.on('close', () => clearInterval(more));
  });
  const client = clientOf(url, { maxBytes: 50_000 });
  await expect(client.request(GET)).rejects.toMatchObject({
    kind: 'invalid',
    message: expect.stringContaining('50000'),
  });
  await expect(client.request(POST)).rejects.toMatchObject({ kind: 'ambiguous' });
});

describe('the deadline takes in everything', () => {
  it.each([
    ['no answer', (() => undefined) satisfies RequestListener],
    [
      'a body that trickles',
      ((_request, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        const more = setInterval(() => response.write(' '), 20);
        response.on('close', () => clearInterval(more));
      }) satisfies RequestListener,
    ],
  ])('%s: a POST is ambiguous, a GET transient', async (_what, listener) => {
    const url = await serve(listener);
    const started = Date.now();
    await expect(clientOf(url, {}, 150).request(POST)).rejects.toMatchObject({
      kind: 'ambiguous',
      message: expect.stringMatching(/did not answer in the time given.*may have been made/),
    });
    await expect(clientOf(url, {}, 150).request(GET)).rejects.toMatchObject({ kind: 'transient' });
    expect(Date.now() - started).toBeLessThan(2_000);
  });

  it('nothing is sent once it is over', async () => {
    let asked = false;
    const url = await serve(() => (asked = true));
    await expect(clientOf(url, {}, -1).request(POST)).rejects.toMatchObject({ kind: 'transient' });
    expect(asked).toBe(false);
  });
});

it('calls a refused connection transient even for a POST: nothing was sent', async () => {
  const server = createTcpServer();
  const port = await listen(server);
  server.close();
  await expect(clientOf(`http://127.0.0.1:${port}`).request(POST)).rejects.toMatchObject({
    kind: 'transient',
    message: expect.stringContaining('nothing listens there'),
  });
});

it('calls a connection that is lost after sending ambiguous for a POST, transient for a GET', async () => {
  const url = await serve((request) => request.socket.destroy());
  await expect(clientOf(url).request(POST)).rejects.toMatchObject({ kind: 'ambiguous' });
  await expect(clientOf(url).request(GET)).rejects.toMatchObject({ kind: 'transient' });
});

it('calls the same transient for a POST that only asks', async () => {
  const asks: HttpRequest = { ...POST, changesNothing: true };
  for (const listener of [
    (request) => request.socket.destroy(),
    json(503, {}),
    (_request, response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{"half":'),
  ] satisfies RequestListener[]) {
    await expect(clientOf(await serve(listener)).request(asks)).rejects.toMatchObject({ kind: 'transient' });
  }
});

it('signs exactly the bytes it sends, and hands out exactly the text it parsed', async () => {
  const signed: string[] = [];
  const seen: { body: string; signature: unknown }[] = [];
  const url = await serve(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    seen.push({ body: Buffer.concat(chunks).toString('utf8'), signature: request.headers['x-signature'] });
    response.writeHead(200, { 'content-type': 'application/json' }).end('{ "a":\n1 }');
  });
  const sign = (payload: string) => {
    signed.push(payload);
    return { 'x-signature': 'over-it' };
  };
  const answer = await clientOf(url).request({ ...POST, body: { name: '李 🦊' }, sign });
  expect(seen).toEqual([{ body: signed[0], signature: 'over-it' }]);
  expect(answer).toMatchObject({ text: '{ "a":\n1 }', body: { a: 1 } });
});

it('names a host that doesn’t exist', async () => {
  await expect(clientOf('https://tool.invalid').request(POST)).rejects.toMatchObject({
    kind: 'transient',
    message: 'The name of tool.invalid could not be resolved.',
  });
});

describe('given addresses that are inside', () => {
  it.each([
    'https://127.0.0.1',
    'https://[::1]',
    'https://10.1.2.3',
    'https://169.254.169.254',
    'https://[fd00:ec2::254]',
    'https://[::ffff:192.168.1.1]',
    'https://2130706433',
  ])('refuses %s', (baseUrl) => {
    expect(() => clientOf(baseUrl, { allowPrivateAddresses: false })).toThrow(
      expect.objectContaining({ kind: 'forbidden', permission: 'allowPrivateAddresses' }),
    );
  });

  it('refuses a name that resolves to one, when it connects', async () => {
    const client = clientOf('https://localhost:1', { allowPrivateAddresses: false });
    await expect(client.request(GET)).rejects.toMatchObject({ kind: 'forbidden' });
  });

  it.each([
    'http://tool.example',
    'ftp://tool.example',
    'not a url',
    'https://user:pw@tool.example',
    'https://tool.example/?a=1',
  ])('refuses the base URL %s', (baseUrl) => {
    expect(() => clientOf(baseUrl, { allowPrivateAddresses: false })).toThrow(
      expect.objectContaining({ kind: 'invalid' }),
    );
  });
});

describe('over TLS', () => {
  const tls = selfSignedFor('localhost');

  it('sends nothing to a server that can’t be proved', async () => {
    let asked = false;
    const port = await listen(createTlsServer(tls, () => (asked = true)));
    await expect(clientOf(`https://localhost:${port}`).request(POST)).rejects.toMatchObject({
      kind: 'auth-broken',
      message: expect.stringContaining('could not be proved over TLS'),
    });
    expect(asked).toBe(false);
  });

  it('trusts the authority that the tool’s settings name, for its own host only', async () => {
    const port = await listen(createTlsServer(tls, json(200, { ok: true })));
    const ca = tls.cert.toString();
    await expect(clientOf(`https://localhost:${port}`, { ca }).request(GET)).resolves.toMatchObject({
      body: { ok: true },
    });
    await expect(clientOf(`https://127.0.0.1:${port}`, { ca }).request(GET)).rejects.toMatchObject({
      kind: 'auth-broken',
    });
  });

  it('names a server that doesn’t speak TLS', async () => {
    const port = await listen(createServer(json(200, {})));
    await expect(clientOf(`https://localhost:${port}`).request(POST)).rejects.toMatchObject({ kind: 'auth-broken' });
  });
});
