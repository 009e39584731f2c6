import { setUpSshGateway, type GatewayOptions, type SshGatewaySetup } from '../../../scripts/embedded/ssh-gateway.js';
import { makeToolFolder, startToolProcess } from './tool-process.js';

export { GRANTABLE, hasSshd, makeKey } from '../../../scripts/embedded/ssh-gateway.js';

export interface TestGateway extends SshGatewaySetup {
  stop(): Promise<void>;
}

export async function startGateway(options: GatewayOptions = {}): Promise<TestGateway> {
  const folder = await makeToolFolder('sshd');
  const setup = await setUpSshGateway(folder, options);
  const server = await startToolProcess({ ...setup, folder, asOurselves: true });
  return { ...setup, stop: () => server.stop() };
}
