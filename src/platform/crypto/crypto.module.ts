import { Module, type DynamicModule } from '@nestjs/common';
import { InstallationKey } from './installation-key.js';
import { Keyring } from './keyring.js';
import { RecoveryRing } from './recovery-ring.js';
import { RecoveryVault } from './recovery-vault.service.js';
import { RewrapSecrets } from './rewrap-secrets.service.js';
import { SealingKeys } from './sealing-keys.service.js';
import { SecretVault } from './secret-vault.service.js';

@Module({})
export class CryptoModule {
  static of(keyring: Keyring, recoveryRing: RecoveryRing): DynamicModule {
    return {
      module: CryptoModule,
      global: true,
      providers: [
        { provide: InstallationKey, useValue: keyring.installation },
        { provide: Keyring, useValue: keyring },
        { provide: RecoveryRing, useValue: recoveryRing },
        SecretVault,
        RecoveryVault,
        SealingKeys,
        RewrapSecrets,
      ],
      exports: [InstallationKey, Keyring, SecretVault, RecoveryVault, SealingKeys, RewrapSecrets],
    };
  }
}
