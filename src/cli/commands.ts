import { addAlertChannel } from './alert-channel.js';
import { addApprovals } from './approvals.js';
import { addAudit } from './audit.js';
import { addBrakes } from './brakes.js';
import { addCase } from './case.js';
import { addCases } from './cases.js';
import { addCheckDrift } from './check-drift.js';
import type { AddCommand } from './command.js';
import { addConnectors } from './connectors.js';
import { addDevices } from './devices.js';
import { addEscalation } from './escalation.js';
import { addHrSource } from './hr-source.js';
import { addImage } from './image.js';
import { addInit } from './init.js';
import { addLoss } from './loss.js';
import { addLabels } from './labels.js';
import { addLossReports } from './loss-reports.js';
import { addLostLaptop } from './lost-laptop.js';
import { addMigrate } from './migrate.js';
import { addOpenApi } from './openapi.js';
import { addOsquery } from './osquery.js';
import { addResetCredentials } from './reset-credentials.js';
import { addRestoreAccess } from './restore-access.js';
import { addRoles } from './roles.js';
import { addRunbook } from './runbook.js';
import { addSignIn } from './sign-in.js';
import { addSecrets } from './secrets.js';
import { addService } from './service.js';
import { addSignInLink } from './sign-in-link.js';
import { addStep } from './step.js';
import { addToken } from './token.js';
import { addTools } from './tools.js';
import { addUnlockLaptop } from './unlock-laptop.js';
import { addUsb } from './usb.js';

/** In the order of the help text. */
export const COMMANDS: readonly AddCommand[] = [
  addInit,
  addMigrate,
  addSignInLink,
  addSignIn,
  addToken,
  addService,
  addRoles,
  addHrSource,
  addOsquery,
  addSecrets,
  addAlertChannel,
  addEscalation,
  addDevices,
  addLabels,
  addLostLaptop,
  addLoss,
  addLossReports,
  addRunbook,
  addUnlockLaptop,
  addRestoreAccess,
  addResetCredentials,
  addCase,
  addCases,
  addStep,
  addBrakes,
  addApprovals,
  addTools,
  addImage,
  addUsb,
  addAudit,
  addCheckDrift,
  addOpenApi,
  addConnectors,
];
