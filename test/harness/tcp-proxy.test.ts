import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';
import { until } from './until.ts';

let echo: Server;
let proxy: TcpProxy;
let heard: string;
const clients: Socket[] = [];

beforeEach(async () => {
  heard = '';
  echo = createServer(socket => {
    socket.on('error', () => undefined);
    socket.on('data', chunk => {
      heard += chunk.toString();
      socket.write(chunk);
    });
  });
  await new Promise<void>(resolve => echo.listen(0, '127.0.0.1', resolve));
  proxy = await startTcpProxy({ port: (echo.address() as AddressInfo).port });
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await proxy.close();
  await new Promise(resolve => echo.close(resolve));
});

type Client = { socket: Socket; received: () => string; fault: () => string | undefined };

async function client(): Promise<Client> {
  const socket = connect(proxy.port, '127.0.0.1');
  clients.push(socket);
  let received = '';
  let fault: string | undefined;
  socket.on('data', chunk => {
    received += chunk.toString();
  });
  socket.on('error', error => {
    fault = (error as NodeJS.ErrnoException).code;
  });
  await Promise.race([once(socket, 'connect'), new Promise(resolve => socket.once('close', resolve))]).catch(
    () => undefined,
  );
  return { socket, received: () => received, fault: () => fault };
}

describe('the TCP proxy', () => {
  it('passes bytes both ways and counts them', async () => {
    const { socket, received } = await client();
    socket.write('hello');
    await until(() => received() === 'hello', { every: 5 });
    expect(proxy.bytes).toEqual({ up: 5, down: 5 });
    expect(proxy.connections()).toBe(1);
    socket.end();
    await until(() => proxy.connections() === 0, { every: 5 });
  });

  it('passes much data whole and in order', async () => {
    const { socket, received } = await client();
    const much = Array.from({ length: 200_000 }, (_, index) => `${index},`).join('');
    socket.write(much);
    await until(() => received().length === much.length, { every: 5 });
    expect(received()).toBe(much);
  });

  it('names the target by its own address', () => {
    expect(proxy.through('postgres://user:word@db.example.org:5432/name')).toBe(
      `postgres://user:word@127.0.0.1:${proxy.port}/name`,
    );
  });

  it('cuts what is open and what is new, until it is mended', async () => {
    const before = await client();
    before.socket.write('x');
    await until(() => before.received() === 'x', { every: 5 });
    proxy.cut();
    await until(() => before.fault() === 'ECONNRESET', { every: 5 });
    const during = await client();
    await until(() => during.socket.closed, { every: 5 });
    proxy.mend();
    const after = await client();
    after.socket.write('y');
    await until(() => after.received() === 'y', { every: 5 });
    expect(during.received()).toBe('');
  });

  it('drops what is open and lets new connections pass', async () => {
    const before = await client();
    before.socket.write('x');
    await until(() => before.received() === 'x', { every: 5 });
    proxy.drop();
    await until(() => before.fault() === 'ECONNRESET', { every: 5 });
    const after = await client();
    after.socket.write('y');
    await until(() => after.received() === 'y', { every: 5 });
    expect(before.socket.destroyed).toBe(true);
  });

  it('holds everything back in silence, and delivers it once mended', async () => {
    const before = await client();
    before.socket.write('a');
    await until(() => before.received() === 'a', { every: 5 });
    proxy.blackhole();
    before.socket.write('b');
    const during = await client();
    during.socket.write('c');
    await new Promise(resolve => setTimeout(resolve, 100));
    expect([heard, before.received(), during.received()]).toEqual(['a', 'a', '']);
    expect([before.socket.closed, during.socket.closed]).toEqual([false, false]);
    proxy.mend();
    await until(() => before.received() === 'ab' && during.received() === 'c', { every: 5 });
  });

  it('can hold back the answers alone', async () => {
    const { socket, received } = await client();
    socket.write('a');
    await until(() => received() === 'a', { every: 5 });
    proxy.blackhole('down');
    socket.write('b');
    await until(() => heard === 'ab', { every: 5 });
    expect(received()).toBe('a');
  });

  it('does not tell the target about a client that has gone meanwhile', async () => {
    const connected = once(echo, 'connection') as Promise<[Socket]>;
    const { socket } = await client();
    const [far] = await connected;
    socket.write('z');
    await until(() => heard === 'z', { every: 5 });
    proxy.blackhole();
    socket.destroy();
    await new Promise(resolve => setTimeout(resolve, 100));
    expect(far.destroyed).toBe(false);
    proxy.mend();
    await until(() => far.destroyed, { every: 5 });
  });

  it('delays each byte by so much, in order', async () => {
    const { socket, received } = await client();
    proxy.delay(80);
    const from = performance.now();
    socket.write('1');
    await new Promise(resolve => setTimeout(resolve, 20));
    socket.write('2');
    await until(() => received() === '12', { every: 5 });
    expect(performance.now() - from).toBeGreaterThanOrEqual(175);
  });
});
