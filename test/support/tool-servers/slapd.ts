import { setUpSlapd, type SlapdOptions, type SlapdSetup } from '../../../scripts/embedded/slapd.js';
import { makeToolFolder, startToolProcess } from './tool-process.js';

export { hasSlapd, ROOT_DN, SUFFIX, type SlapdOptions } from '../../../scripts/embedded/slapd.js';

export interface TestSlapd extends SlapdSetup {
  stop(): Promise<void>;
}

export async function startSlapd(options: SlapdOptions): Promise<TestSlapd> {
  const folder = await makeToolFolder('slapd');
  const setup = await setUpSlapd(folder, options);
  const server = await startToolProcess({ ...setup, folder });
  return { ...setup, stop: () => server.stop() };
}
