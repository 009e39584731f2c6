import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startServiceApp, type ServiceApp } from '../factories/service-app.js';

describe('the files of the user interface', () => {
  let service: ServiceApp;
  beforeAll(async () => {
    service = await startServiceApp();
  });
  afterAll(() => service?.close());

  it('are one page for each of its addresses, under a policy that lets nothing inline run', async () => {
    await service.stranger.get('/').expect(302).expect('Location', '/app');
    for (const path of ['/app', '/app/people', '/app/people/0198c0de-0000-7000-8000-000000000000?x=1']) {
      const { headers, text } = await service.stranger.get(path).expect(200);
      expect(headers['content-security-policy']).not.toContain('unsafe');
      expect(headers['content-security-policy']).toContain("script-src 'self'");
      expect(headers['cache-control']).toBe('no-cache');
      expect(text).toContain('<div id="app">');
    }
  });

  it('are kept by browsers for good, and sent compressed to those who ask for that', async () => {
    const { text } = await service.stranger.get('/app').expect(200);
    const [script] = /\/app\/assets\/[^"]+\.js/.exec(text) ?? [];
    const zipped = await service.stranger.get(String(script)).set('Accept-Encoding', 'gzip').expect(200);
    expect(zipped.headers).toMatchObject({
      'content-encoding': 'gzip',
      'cache-control': 'public, max-age=31536000, immutable',
      'content-type': 'text/javascript; charset=utf-8',
    });
    const plain = await service.stranger.get(String(script)).set('Accept-Encoding', 'identity').expect(200);
    expect(plain.headers['content-encoding']).toBeUndefined();
  });

  it('are no way to any other file', async () => {
    for (const name of ['index.html', '..%2findex.html', '..%2f..%2fsrc%2fapi.main.js', 'none.js']) {
      await service.stranger.get(`/app/assets/${name}`).expect(404);
    }
  });
});
