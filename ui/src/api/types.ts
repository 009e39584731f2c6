import type { paths } from './schema.js';

/** What a GET of this path answers. */
type Answer<Path extends keyof paths> = paths[Path] extends {
  get: { responses: { 200: { content: { 'application/json': infer Body } } } };
}
  ? Body
  : never;

type Item<Path extends keyof paths> = Answer<Path> extends { items: (infer One)[] } ? One : never;

export type Caller = Answer<'/v1/caller'>;
export type Scope = Caller['scopes'][number]['scope'];
export type SecurityKey = Item<'/v1/caller/security-keys'>;
export type Person = Item<'/v1/people'>;
export type PersonDetails = Answer<'/v1/people/{id}'>;
export type Account = Item<'/v1/accounts'>;
export type Device = Item<'/v1/devices'>;
export type DeviceDetails = Answer<'/v1/devices/{id}'>;
export type Observation = DeviceDetails['observations'][number];
export type Case = Item<'/v1/cases'>;
export type CaseDetails = Answer<'/v1/cases/{id}'>;
export type CaseStep = CaseDetails['steps'][number];
export type Step = Item<'/v1/steps'>;
export type StepState = Step['state'];
export type Tool = Item<'/v1/tools'>;
export type ToolDetails = Answer<'/v1/tools/{id}'>;
export type Connector = Item<'/v1/connectors'>;
export type Brake = Item<'/v1/brakes'>;
export type Approval = Item<'/v1/approvals'>;
export type HrEvent = Item<'/v1/hr-events'>;
export type AuditEntry = Item<'/v1/audit-entries'>;
export type AuditProof = Answer<'/v1/audit-entries/{id}/proof'>;
export type Loss = Answer<'/v1/lost-devices/{caseId}'>;
export type LossReport = Answer<'/v1/loss-reports/{id}'>;
export type DeviceCommand = Loss['commands'][number];
export type DeviceModel = Item<'/v1/device-models'>;
export type Acknowledgement = Item<'/v1/acknowledgements'>;
export type Return = Item<'/v1/returns'>;
export type EncryptionReport = Item<'/v1/devices/{id}/encryption/history'>;
export type FleetEncryption = Answer<'/v1/devices/encryption'>;
export type Imaging = Item<'/v1/devices/{id}/imagings'>;
export type DriftingDevice = Item<'/v1/images/drift'>;
export type RecoveryKey = Item<'/v1/devices/{id}/recovery-keys'>;
export type Shelf = Item<'/v1/devices/spares'>;
export type ImageVersion = Answer<'/v1/images/versions/{id}'>;
export type ImageMedium = Item<'/v1/images/media'>;
export type DeviceImport = Answer<'/v1/devices/imports/{id}'>;

export type AlertChannel = Item<'/v1/alert-channels'>;
export type Contact = Answer<'/v1/escalation'>['contacts'][number];
export type RoleAssignment = Item<'/v1/role-assignments'>;
export type RoleDefinition = Item<'/v1/roles'>;
export type SignInIdentity = Item<'/v1/sign-in-identities'>;
export type ApiToken = Item<'/v1/tokens'>;
export type ServicePrincipal = Item<'/v1/service-principals'>;
export type BrakeLimit = Item<'/v1/brake-limits'>;
export type Site = Item<'/v1/sites'>;
export type HrSource = Item<'/v1/hr-sources'>;
export type HrSourceSecret = paths['/v1/hr-sources']['post']['responses'][201]['content']['application/json'];
export type Health = Answer<'/health/ready'>;
export type Witness = Item<'/v1/audit/witnesses'>;

/** What a POST of this path answers. */
type Posted<Path extends keyof paths> = paths[Path] extends {
  post: { responses: { 200: { content: { 'application/json': infer Body } } } };
}
  ? Body
  : never;

export type LossPreview = Posted<'/v1/lost-devices/preview'>;
export type AskedApproval = NonNullable<Posted<'/v1/role-assignments'>['approval']>;

/** What a POST of this path takes. */
type Sent<Path extends keyof paths> = paths[Path] extends {
  post: { requestBody: { content: { 'application/json': infer Body } } };
}
  ? Body
  : never;

export type NewChannel = Sent<'/v1/alert-channels'>;
