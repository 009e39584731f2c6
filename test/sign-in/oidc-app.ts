import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inject } from 'vitest';
import { freePort } from '../../scripts/embedded/free-port.js';
import { RoleAssignments } from '../../src/platform/roles/role-assignments.service.js';
import type { Role } from '../../src/platform/roles/roles.js';
import { SYSTEM } from '../../src/platform/sign-in/actor.js';
import { userPrincipal } from '../../src/platform/sign-in/principals.js';
import { SignInIdentities } from '../../src/platform/sign-in/sign-in-identities.service.js';
import { AN_ADMIN } from '../factories/role-holders.js';
import { startServiceApp, type ServiceApp } from '../factories/service-app.js';
import { CLIENT_ID, CLIENT_SECRET, startOidcProvider, type TestProvider } from '../support/oidc-provider.js';
import { PlainBrowser, type Page } from '../support/plain-browser.js';

export interface OidcApp {
  service: ServiceApp;
  provider: TestProvider;
  /** Where the service listens. */
  url: string;
  /** Lets this subject in, as a viewer unless something else is said. */
  admit(subject: string, options?: { personId?: string | null; name?: string; role?: Role | null }): Promise<string>;
  /** The way to the provider and through its page, up to the answer that isn't delivered yet. */
  answerFor(browser: PlainBrowser, subject: string, path?: string): Promise<URL>;
  /** All the way. */
  signIn(browser: PlainBrowser, subject: string, path?: string): Promise<Page>;
  /** How the service answers this browser. */
  statusFor(browser: PlainBrowser): Promise<number>;
  close(): Promise<void>;
}

/**
 * The service on a port, and an OpenID provider that knows it.
 * @param host by which browsers know it; with a security key it has to be a name
 */
export async function startOidcApp(host: '127.0.0.1' | 'localhost' = '127.0.0.1'): Promise<OidcApp> {
  const port = await freePort();
  const url = `http://${host}:${port}`;
  const provider = await startOidcProvider(url);
  const secretFile = join(inject('runFolder'), `oidc-secret-${port}`);
  await writeFile(secretFile, `${CLIENT_SECRET}\n`);
  const service = await startServiceApp({
    env: {
      PUBLIC_URL: url,
      OIDC_ISSUER: provider.issuer,
      OIDC_CLIENT_ID: CLIENT_ID,
      OIDC_CLIENT_SECRET_FILE: secretFile,
      OIDC_NAME: 'Acme <login>',
    },
  });
  await service.app.listen(port, '127.0.0.1');
  const isCallback = (next: URL): boolean => next.pathname === '/sign-in/oidc/callback';
  const answerFor: OidcApp['answerFor'] = async (browser, subject, path = '/sign-in/oidc') => {
    const { url: asked } = await browser.get(`${url}${path}`, isCallback);
    if (isCallback(asked)) return asked;
    return (await browser.post(asked, { who: subject }, isCallback)).url;
  };
  return {
    service,
    provider,
    url,
    answerFor,
    admit: (subject, { personId = null, name = 'Ada Example', role = 'viewer' } = {}) => {
      const admission = { issuer: provider.issuer, subject, displayName: name, personId };
      return service.db.transaction(async (tx) => {
        const id = await service.app.get(SignInIdentities).admit(tx, SYSTEM, admission);
        const everywhere = { department: null, location: null, toolId: null };
        const wish = { principal: userPrincipal(id), ...everywhere };
        if (role !== null) await service.app.get(RoleAssignments).assign(tx, AN_ADMIN, { ...wish, role });
        return id;
      });
    },
    signIn: async (browser, subject, path) => browser.get(await answerFor(browser, subject, path)),
    statusFor: async (browser) => (await browser.get(`${url}/v1/people`)).status,
    async close() {
      await service.close();
      await provider.stop();
    },
  };
}
