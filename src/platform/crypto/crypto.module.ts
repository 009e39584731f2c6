import { Module, type DynamicModule } from '@nestjs/common';
import { InstallationKey } from './installation-key.js';
import { SecretVault } from './secret-vault.service.js';

@Module({})
export class CryptoModule {
  static of(key: InstallationKey): DynamicModule {
    return {
      module: CryptoModule,
      global: true,
      providers: [{ provide: InstallationKey, useValue: key }, SecretVault],
      exports: [InstallationKey, SecretVault],
    };
  }
}
