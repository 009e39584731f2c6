import { startAnalyticsDatabase, type AnalyticsDatabase } from './analytics-database.js';
import { CompanyApp } from './company-app.js';
import type { DemoPlaces } from './demo-places.js';
import { DeviceManager } from './device-manager.js';
import { startLdapServer, type LdapServer } from './ldap-server.js';
import { startSshGateway, type SshGateway } from './ssh-gateway.js';
import type { StopList } from './stop-list.js';
import { together } from '../../src/platform/database/together.js';

const FIRST_UID = 20_000;
const UIDS = 39_000;

/** The company's tools, each a real server on loopback, but for what manages its laptops, which is emulated. */
export interface Company {
  analytics: AnalyticsDatabase;
  directory: CompanyApp;
  chat: CompanyApp;
  deviceManager: DeviceManager;
  /** Null where the server isn't installed. */
  ldap: LdapServer | null;
  gateway: SshGateway | null;
}

export async function startCompany(places: DemoPlaces, stops: StopList): Promise<Company> {
  const { analyticsPassword, directoryToken, chatToken, ldapPassword, hired } = places.memory;
  const stoppable = async <T extends { stop(): Promise<void> } | null>(starting: Promise<T>): Promise<T> => {
    const started = await starting;
    if (started) stops.add(() => started.stop());
    return started;
  };
  const [analytics, directory, chat, deviceManager, ldap, gateway] = await together([
    stoppable(startAnalyticsDatabase(places.at('analytics'), analyticsPassword)),
    stoppable(
      CompanyApp.start({ folder: places.at('directory'), scimToken: directoryToken, groups: ['staff', 'engineering'] }),
    ),
    stoppable(
      CompanyApp.start({
        folder: places.at('chat'),
        scimToken: chatToken,
        groups: ['general', 'engineering', 'berlin'],
      }),
    ),
    stoppable(DeviceManager.start()),
    stoppable(startLdapServer(places.at('ldap'), ldapPassword)),
    // Ids of people who left an earlier run's gateway are theirs for good.
    stoppable(startSshGateway(places.at('ssh-gateway'), FIRST_UID + (hired % UIDS))),
  ]);
  return { analytics, directory, chat, deviceManager, ldap, gateway };
}

export function namesOf({ ldap, gateway }: Company): readonly string[] {
  const more = [...(ldap ? ['LDAP'] : []), ...(gateway ? ['SSH gateway'] : [])];
  return ['analytics database', 'directory', 'chat', ...more, 'badge office (no API)', 'Fleet (emulated)'];
}
