import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cloneFolder } from '../embedded/places.js';
import type { DemoPlaces } from './demo-places.js';
import { canRunLdapServer } from './ldap-server.js';
import { canRunSshGateway } from './ssh-gateway.js';

/** The repository's access policy, with what the servers of this machine add. Answers its file. */
export async function providePolicy(places: DemoPlaces): Promise<string> {
  const shared = await readFile(join(cloneFolder(), 'access-policy.yaml'), 'utf8');
  const more = [
    ...(canRunLdapServer() ? ['      - tool: ldap', '        groups: [engineers]'] : []),
    ...(canRunSshGateway() ? ['      - tool: ssh-gateway', '        groups: [developers]'] : []),
  ];
  const rule = [
    '',
    '  - name: engineering, on this machine',
    '    when:',
    '      department: engineering',
    '    tools:',
  ];
  const file = places.at('access-policy.yaml');
  await writeFile(file, more.length > 0 ? `${shared.trimEnd()}\n${[...rule, ...more].join('\n')}\n` : shared);
  return file;
}
