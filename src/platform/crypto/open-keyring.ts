import { readFile } from 'node:fs/promises';
import type { KeySettings, TransitKeySettings } from '../config/key-settings.js';
import type { InstallationKey } from './installation-key.js';
import { loadKeyFile } from './key-file.js';
import type { KeyProvider } from './key-provider.js';
import { Keyring } from './keyring.js';
import { RecoveryRing } from './recovery-ring.js';
import { KeyFileError } from './private-file.js';
import { loadAgeIdentities } from './providers/age-identities.js';
import { AgeProvider } from './providers/age-provider.js';
import { KeyFileProvider } from './providers/key-file-provider.js';
import { KmsProvider } from './providers/kms-provider.js';
import { TransitProvider } from './providers/transit-provider.js';

/** With every provider that the settings name; files are read now, and nobody is called. @throws KeyFileError */
export async function openKeyring(installation: InstallationKey, settings: KeySettings): Promise<Keyring> {
  const providers: KeyProvider[] = [];
  const [first, ...rest] = await Promise.all(settings.keyFiles.map(loadKeyFile));
  if (first) providers.push(new KeyFileProvider([first, ...rest, installation]));
  if (settings.ageIdentityFile) providers.push(new AgeProvider(await loadAgeIdentities(settings.ageIdentityFile)));
  if (settings.kms) providers.push(new KmsProvider(settings.kms));
  if (settings.transit) providers.push(await transitProvider(settings.transit));
  return new Keyring(installation, providers);
}

async function transitProvider({ caFile, ...settings }: TransitKeySettings): Promise<TransitProvider> {
  const ca = caFile === undefined ? undefined : await certificatesIn(caFile);
  return new TransitProvider({ ...settings, ca });
}

async function certificatesIn(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new KeyFileError(`The certificates in ${path} can't be read (${error.code}). Check SECRETS_TRANSIT_CA_FILE.`);
  });
}

/** @throws KeyFileError */
export async function openRecoveryRing({
  recoveryRecipients,
  recoveryIdentityFile,
}: KeySettings): Promise<RecoveryRing> {
  return new RecoveryRing(
    recoveryRecipients,
    recoveryIdentityFile ? await loadAgeIdentities(recoveryIdentityFile) : [],
  );
}
