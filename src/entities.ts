import { PolicyVersion } from './access-policy/policy-version.entity.js';
import { Account } from './accounts/account.entity.js';
import { CredentialHandover } from './accounts/credential-handover.entity.js';
import { Credential } from './accounts/credential.entity.js';
import { Grant } from './accounts/grant.entity.js';
import { Session } from './accounts/session.entity.js';
import { AlertChannel } from './alerting/alert-channel.entity.js';
import { AlertDelivery } from './alerting/alert-delivery.entity.js';
import { EscalationContact } from './alerting/escalation-contact.entity.js';
import { Alert } from './cases/alert.entity.js';
import { Attempt } from './cases/attempt.entity.js';
import { Case } from './cases/case.entity.js';
import { Hold } from './cases/hold.entity.js';
import { StepEvidence } from './cases/step-evidence.entity.js';
import { StepNeed } from './cases/step-need.entity.js';
import { Step } from './cases/step.entity.js';
import { Approval } from './approvals/approval.entity.js';
import { BrakeLimit } from './brakes/brake-limit.entity.js';
import { BrakeSlot } from './brakes/brake-slot.entity.js';
import { Brake } from './brakes/brake.entity.js';
import { BrakedCase } from './brakes/braked-case.entity.js';
import { TaskLink } from './cases/task-links/task-link.entity.js';
import { WorkerProcess } from './cases/worker-process.entity.js';
import { DeviceToken } from './device-reporters/device-token.entity.js';
import { DeviceManagerKey } from './device-managers/device-manager-key.entity.js';
import { DeviceManagerRound } from './device-managers/device-manager-round.entity.js';
import { DeviceEncryption } from './devices/encryption/device-encryption.entity.js';
import { DevicePackageComparison } from './devices/packages/device-package-comparison.entity.js';
import { DevicePackages } from './devices/packages/device-packages.entity.js';
import { DeviceEnrolment } from './devices/device-enrolment.entity.js';
import { AcknowledgementText } from './devices/acknowledgements/acknowledgement-text.entity.js';
import { DeviceAcknowledgement } from './devices/acknowledgements/device-acknowledgement.entity.js';
import { DeviceImport } from './devices/imports/device-import.entity.js';
import { ReportCode } from './devices/report-codes/report-code.entity.js';
import { DroppedObservations } from './devices/retention/dropped-observations.entity.js';
import { ObservationRetention } from './devices/retention/observation-retention.entity.js';
import { DeviceReturn } from './devices/returns/device-return.entity.js';
import { DeviceReplacement } from './devices/spares/device-replacement.entity.js';
import { DeviceException } from './devices/device-exception.entity.js';
import { DeviceModelMinimum } from './devices/device-model-minimum.entity.js';
import { DeviceModel } from './devices/device-model.entity.js';
import { DeviceObservation } from './devices/device-observation.entity.js';
import { Device } from './devices/device.entity.js';
import { HrSource } from './hr-feeds/hr-source.entity.js';
import { InboxEvent } from './hr-feeds/inbox-event.entity.js';
import { ImageContent } from './images/image-content.entity.js';
import { ImageMedium } from './images/image-medium.entity.js';
import { ImageReleaseKey } from './images/image-release-key.entity.js';
import { ImageVersion } from './images/image-version.entity.js';
import { Image } from './images/image.entity.js';
import { DeviceImaging } from './imagings/device-imaging.entity.js';
import { DeviceCommandCall } from './lost-devices/commands/device-command-call.entity.js';
import { DeviceCommandEvent } from './lost-devices/device-command-event.entity.js';
import { DeviceCommand } from './lost-devices/device-command.entity.js';
import { LossTask } from './lost-devices/loss-task.entity.js';
import { Loss } from './lost-devices/loss.entity.js';
import { LossReport } from './lost-devices/reports/loss-report.entity.js';
import { RunbookVersion } from './lost-devices/runbook/runbook-version.entity.js';
import { EnrolmentSecret } from './osquery/enrolment-secret.entity.js';
import { OsqueryNode } from './osquery/osquery-node.entity.js';
import { Employment } from './people/employment.entity.js';
import { Person } from './people/person.entity.js';
import { Site } from './people/site.entity.js';
import { ToolBudget } from './tools/tool-budget.entity.js';
import { Tool } from './tools/tool.entity.js';
import { AuditCheckpoint } from './platform/audit/audit-checkpoint.entity.js';
import { AuditCosignature } from './platform/audit/audit-cosignature.entity.js';
import { AuditEntry } from './platform/audit/audit-entry.entity.js';
import { AuditLog } from './platform/audit/audit-log.entity.js';
import { AuditPersonalField } from './platform/audit/audit-personal-field.entity.js';
import { AuditPublication } from './platform/audit/audit-publication.entity.js';
import { AuditTileRoot } from './platform/audit/audit-tile-root.entity.js';
import { SealingKey } from './platform/crypto/sealing-key.entity.js';
import { Secret } from './platform/crypto/secret.entity.js';
import { IdempotencyKey } from './platform/http/idempotency-key.entity.js';
import { Installation } from './platform/installation/installation.entity.js';
import { RecoveryKeyReveal } from './recovery-keys/recovery-key-reveal.entity.js';
import { RecoveryKeyRotation } from './recovery-keys/recovery-key-rotation.entity.js';
import { RecoveryKey } from './recovery-keys/recovery-key.entity.js';
import { RoleAssignment } from './platform/roles/role-assignment.entity.js';
import { ApiToken } from './platform/sign-in/api-token.entity.js';
import { BrowserSession } from './platform/sign-in/browser-session.entity.js';
import { KeyChallenge } from './platform/sign-in/security-keys/key-challenge.entity.js';
import { SecurityKey } from './platform/sign-in/security-keys/security-key.entity.js';
import { SignInIdentity } from './platform/sign-in/sign-in-identity.entity.js';
import { SignInLink } from './platform/sign-in/sign-in-link.entity.js';
import { UsedOnceRow } from './platform/sign-in/used-once.entity.js';
import { ServicePrincipal } from './service-principals/service-principal.entity.js';
import { Measurement } from './platform/telemetry/measurement.entity.js';
import { Witness } from './witnesses/witness.entity.js';

/** Every table that the application knows; the drift check compares them with the migrations. */
export const ENTITIES = [
  PolicyVersion,
  Account,
  CredentialHandover,
  Credential,
  Grant,
  Session,
  AlertChannel,
  AlertDelivery,
  EscalationContact,
  Alert,
  Attempt,
  Case,
  Hold,
  StepEvidence,
  StepNeed,
  Step,
  TaskLink,
  WorkerProcess,
  Approval,
  BrakeLimit,
  BrakeSlot,
  Brake,
  BrakedCase,
  DeviceToken,
  DeviceManagerKey,
  DeviceManagerRound,
  DeviceEncryption,
  DevicePackageComparison,
  DevicePackages,
  DeviceEnrolment,
  AcknowledgementText,
  DeviceAcknowledgement,
  DeviceImport,
  ReportCode,
  DroppedObservations,
  ObservationRetention,
  DeviceReturn,
  DeviceReplacement,
  DeviceException,
  DeviceModelMinimum,
  DeviceModel,
  DeviceObservation,
  RecoveryKeyReveal,
  RecoveryKeyRotation,
  RecoveryKey,
  LossReport,
  RunbookVersion,
  Loss,
  LossTask,
  DeviceCommand,
  DeviceCommandCall,
  DeviceCommandEvent,
  Device,
  HrSource,
  InboxEvent,
  ImageContent,
  ImageMedium,
  ImageReleaseKey,
  ImageVersion,
  Image,
  EnrolmentSecret,
  OsqueryNode,
  DeviceImaging,
  Employment,
  Person,
  Site,
  ToolBudget,
  Tool,
  AuditCheckpoint,
  AuditCosignature,
  AuditEntry,
  AuditLog,
  AuditPersonalField,
  AuditPublication,
  AuditTileRoot,
  SealingKey,
  Secret,
  IdempotencyKey,
  Installation,
  RoleAssignment,
  ApiToken,
  BrowserSession,
  KeyChallenge,
  SecurityKey,
  SignInIdentity,
  SignInLink,
  UsedOnceRow,
  Measurement,
  ServicePrincipal,
  Witness,
];
