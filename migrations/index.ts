import { InstallationAndTrust1764000000000 } from './1764000000000-installation-and-trust.js';
import { PeopleAndDevices1764000001000 } from './1764000001000-people-and-devices.js';
import { ToolsAndAccounts1764000002000 } from './1764000002000-tools-and-accounts.js';
import { Cases1764000003000 } from './1764000003000-cases.js';

/** All of them, oldest first. */
export const MIGRATIONS = [
  InstallationAndTrust1764000000000,
  PeopleAndDevices1764000001000,
  ToolsAndAccounts1764000002000,
  Cases1764000003000,
];
