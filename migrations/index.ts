import { InstallationAndTrust1764000000000 } from './1764000000000-installation-and-trust.js';
import { PeopleAndDevices1764000001000 } from './1764000001000-people-and-devices.js';
import { ToolsAndAccounts1764000002000 } from './1764000002000-tools-and-accounts.js';
import { Cases1764000003000 } from './1764000003000-cases.js';
import { AlertDeliveries1764000004000 } from './1764000004000-alert-deliveries.js';
import { Measurements1764000004100 } from './1764000004100-measurements.js';
import { WorkersThatLeft1764000004200 } from './1764000004200-workers-that-left.js';
import { SearchAmongManyPeople1764000005000 } from './1764000005000-search-among-many-people.js';
import { NothingReadsAllSteps1764000005100 } from './1764000005100-nothing-reads-all-steps.js';
import { TheAuditLogIsSealed1764000006000 } from './1764000006000-the-audit-log-is-sealed.js';
import { EvidenceAndASecondPerson1764000007000 } from './1764000007000-evidence-and-a-second-person.js';
import { SuspectsAreFoundByAnIndex1764000007100 } from './1764000007100-suspects-are-found-by-an-index.js';
import { SignInByOpenIdConnect1764000008000 } from './1764000008000-sign-in-by-openid-connect.js';
import { Roles1764000009000 } from './1764000009000-roles.js';
import { FinerScopes1764000009100 } from './1764000009100-finer-scopes.js';
import { WhoAsked1764000009200 } from './1764000009200-who-asked.js';
import { OwnersOfTokens1764000009300 } from './1764000009300-owners-of-tokens.js';
import { BrakesAndApprovals1764000010000 } from './1764000010000-brakes-and-approvals.js';
import { TheAuditLogIsPublished1764000011000 } from './1764000011000-the-audit-log-is-published.js';
import { AuditEntriesTellFromWhere1764000011100 } from './1764000011100-audit-entries-tell-from-where.js';
import { OldAuditEntriesMayBeDropped1764000011200 } from './1764000011200-old-audit-entries-may-be-dropped.js';
import { SealingKeys1764000012000 } from './1764000012000-sealing-keys.js';
import { RecoveryKeys1764000012100 } from './1764000012100-recovery-keys.js';
import { Witnesses1764000013000 } from './1764000013000-witnesses.js';
import { ServicesAtTheStart1764000013100 } from './1764000013100-services-at-the-start.js';
import { DecisionsAreSealed1764000014000 } from './1764000014000-decisions-are-sealed.js';
import { RecoveryKeysAreRotated1764000014100 } from './1764000014100-recovery-keys-are-rotated.js';
import { ADevicesWholeLife1764000015000 } from './1764000015000-a-devices-whole-life.js';
import { WhoHasADeviceSignsForIt1764000015100 } from './1764000015100-who-has-a-device-signs-for-it.js';
import { Returns1764000015200 } from './1764000015200-returns.js';
import { DevicesComeFromFiles1764000015300 } from './1764000015300-devices-come-from-files.js';
import { ALossKeepsASpare1764000015400 } from './1764000015400-a-loss-keeps-a-spare.js';
import { EncryptionAsObserved1764000016000 } from './1764000016000-encryption-as-observed.js';
import { Osquery1764000016100 } from './1764000016100-osquery.js';
import { DeviceManagersAreAsked1764000016200 } from './1764000016200-device-managers-are-asked.js';
import { ImageCatalogue1764000017000 } from './1764000017000-image-catalogue.js';
import { ImageContents1764000017100 } from './1764000017100-image-contents.js';
import { ImageMedia1764000017200 } from './1764000017200-image-media.js';
import { DeviceImagings1764000017300 } from './1764000017300-device-imagings.js';
import { RunbookOfALoss1764000019000 } from './1764000019000-runbook-of-a-loss.js';
import { SecurityKeys1764000020000 } from './1764000020000-security-keys.js';
import { OrdersGivenByTheService1764000021000 } from './1764000021000-orders-given-by-the-service.js';
import { KeysKeptFromManagers1764000021100 } from './1764000021100-keys-kept-from-managers.js';
import { PackagesAgainstTheImage1764000022000 } from './1764000022000-packages-against-the-image.js';
import { DevicesEscrowTheirKeys1764000022100 } from './1764000022100-devices-escrow-their-keys.js';
import { OldObservationsMayBeDropped1764000022200 } from './1764000022200-old-observations-may-be-dropped.js';
import { LossReports1764000023000 } from './1764000023000-loss-reports.js';
import { TaskLinks1764000023500 } from './1764000023500-task-links.js';
import { WordsStayWithTheirSteps1764000024000 } from './1764000024000-words-stay-with-their-steps.js';
import { WhatShowsAnOrderVerified1764000024100 } from './1764000024100-what-shows-an-order-verified.js';
import { SticksAreVerifiedPastMemory1764000025000 } from './1764000025000-sticks-are-verified-past-memory.js';
import { AReportIsKeptOnce1764000026000 } from './1764000026000-a-report-is-kept-once.js';
import { RoundsCountWhatWasNotRead1764000026100 } from './1764000026100-rounds-count-what-was-not-read.js';
import { AMachineThatWasFoundIsUnlocked1764000027300 } from './1764000027300-a-machine-that-was-found-is-unlocked.js';
import { ReportsOfTheSameLoss1764000027500 } from './1764000027500-reports-of-the-same-loss.js';
import { TheNewestEventOfAnHrSource1764000028000 } from './1764000028000-the-newest-event-of-an-hr-source.js';
import { ReportingEndsWithTheHolder1764000028100 } from './1764000028100-reporting-ends-with-the-holder.js';
import { LossReportsAreErased1764000028110 } from './1764000028110-loss-reports-are-erased.js';

/** All of them, oldest first. */
export const MIGRATIONS = [
  InstallationAndTrust1764000000000,
  PeopleAndDevices1764000001000,
  ToolsAndAccounts1764000002000,
  Cases1764000003000,
  AlertDeliveries1764000004000,
  Measurements1764000004100,
  WorkersThatLeft1764000004200,
  SearchAmongManyPeople1764000005000,
  NothingReadsAllSteps1764000005100,
  TheAuditLogIsSealed1764000006000,
  EvidenceAndASecondPerson1764000007000,
  SuspectsAreFoundByAnIndex1764000007100,
  SignInByOpenIdConnect1764000008000,
  Roles1764000009000,
  FinerScopes1764000009100,
  WhoAsked1764000009200,
  OwnersOfTokens1764000009300,
  BrakesAndApprovals1764000010000,
  TheAuditLogIsPublished1764000011000,
  AuditEntriesTellFromWhere1764000011100,
  OldAuditEntriesMayBeDropped1764000011200,
  SealingKeys1764000012000,
  RecoveryKeys1764000012100,
  Witnesses1764000013000,
  ServicesAtTheStart1764000013100,
  DecisionsAreSealed1764000014000,
  RecoveryKeysAreRotated1764000014100,
  ADevicesWholeLife1764000015000,
  WhoHasADeviceSignsForIt1764000015100,
  Returns1764000015200,
  DevicesComeFromFiles1764000015300,
  ALossKeepsASpare1764000015400,
  EncryptionAsObserved1764000016000,
  Osquery1764000016100,
  DeviceManagersAreAsked1764000016200,
  ImageCatalogue1764000017000,
  ImageContents1764000017100,
  ImageMedia1764000017200,
  DeviceImagings1764000017300,
  RunbookOfALoss1764000019000,
  SecurityKeys1764000020000,
  OrdersGivenByTheService1764000021000,
  KeysKeptFromManagers1764000021100,
  PackagesAgainstTheImage1764000022000,
  DevicesEscrowTheirKeys1764000022100,
  OldObservationsMayBeDropped1764000022200,
  LossReports1764000023000,
  TaskLinks1764000023500,
  WordsStayWithTheirSteps1764000024000,
  WhatShowsAnOrderVerified1764000024100,
  SticksAreVerifiedPastMemory1764000025000,
  AReportIsKeptOnce1764000026000,
  RoundsCountWhatWasNotRead1764000026100,
  AMachineThatWasFoundIsUnlocked1764000027300,
  ReportsOfTheSameLoss1764000027500,
  TheNewestEventOfAnHrSource1764000028000,
  ReportingEndsWithTheHolder1764000028100,
  LossReportsAreErased1764000028110,
];
