import { addCase } from './case.js';
import { addCheckDrift } from './check-drift.js';
import type { AddCommand } from './command.js';
import { addHrSource } from './hr-source.js';
import { addInit } from './init.js';
import { addLostLaptop } from './lost-laptop.js';
import { addMigrate } from './migrate.js';
import { addOpenApi } from './openapi.js';
import { addResetCredentials } from './reset-credentials.js';
import { addSignInLink } from './sign-in-link.js';
import { addToken } from './token.js';

/** In the order of the help text. */
export const COMMANDS: readonly AddCommand[] = [
  addInit,
  addMigrate,
  addSignInLink,
  addToken,
  addHrSource,
  addLostLaptop,
  addResetCredentials,
  addCase,
  addCheckDrift,
  addOpenApi,
];
