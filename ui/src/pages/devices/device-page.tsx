import type { ReactNode } from 'react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { returnsQuery } from '../../api/device-queries.js';
import { deviceQuery, modelsQuery } from '../../api/queries.js';
import type { DeviceDetails, DeviceModel, Return } from '../../api/types.js';
import { SiteName } from '../../parts/choose-site.js';
import { Fact } from '../../parts/fact.js';
import { LoadedPage } from '../../parts/loaded.js';
import { PersonLink } from '../../parts/person-link.js';
import { Page, Section } from '../../parts/section.js';
import { Mark } from '../../parts/step-state-mark.js';
import { RETURN_LOOKS } from '../../states/return-moves.js';
import { text } from '../../text/text.js';
import { Instant } from '../../time/instant.js';
import { DeviceActs } from './device-acts.js';
import { EncryptionHistory, KnownEncryption } from './encryption-history.js';
import { Imaging } from './imaging.js';
import { RecoveryKeys } from './recovery-keys.js';
import { ReporterToken } from './reporter-token.js';
import { Signatures } from './signatures.js';

const route = getRouteApi('/devices/$deviceId');

export function DevicePage(): ReactNode {
  const { deviceId } = route.useParams();
  const query = useQuery(deviceQuery(deviceId));
  return (
    <LoadedPage query={query} title={text.devices.device}>
      {(device) => <ShownDevice key={device.id} device={device} />}
    </LoadedPage>
  );
}

function ShownDevice({ device }: { device: DeviceDetails }): ReactNode {
  const { data: models } = useQuery(modelsQuery);
  const model = models?.items.find(({ id }) => id === device.modelId);
  const returns = useQuery(returnsQuery({ deviceId: device.id, outstanding: 'true', limit: 1 }));
  const asked = returns.data?.items[0];
  return (
    <Page
      title={device.assetTag}
      sub={
        <>
          {text.devices.state[device.state]} · <Instant at={device.stateChangedAt} />
          {device.holderId !== null && (
            <>
              {' · '}
              <PersonLink id={device.holderId} />
            </>
          )}
        </>
      }
      acts={<DeviceActs device={device} isStandard={model?.standard} isAskedBack={asked !== undefined} />}
    >
      {!device.working && (
        <p>
          <Mark shape="▲" tone="bad" word={text.devices.faulty} />
        </p>
      )}
      {asked && <Outstanding asked={asked} />}
      <Facts device={device} model={model} />
      <Signatures deviceId={device.id} />
      <Known device={device} />
      <EncryptionHistory deviceId={device.id} />
      <Imaging device={device} />
      <RecoveryKeys deviceId={device.id} />
    </Page>
  );
}

/** That somebody was asked for it, while it isn't back and inspected. */
function Outstanding({ asked }: { asked: Return }): ReactNode {
  return (
    <p>
      <Mark {...RETURN_LOOKS[asked.state]} word={text.devices.askedBack(text.returns.state[asked.state])} />{' '}
      <Instant at={asked.receivedAt ?? asked.sentAt ?? asked.askedAt} /> ·{' '}
      <Link to="/returns" search={{ only: 'outstanding' }}>
        {text.devices.toReturns}
      </Link>
    </p>
  );
}

function Facts({ device, model }: { device: DeviceDetails; model: DeviceModel | undefined }): ReactNode {
  const { serial, siteId, reservedForId, purchasedOn, warrantyUntil } = device;
  return (
    <dl className="facts">
      <Fact name={text.devices.model}>
        {model ? `${model.manufacturer} ${model.name}` : text.devices.unknownModel}
        {model?.standard === false && <span className="dim"> · {text.models.notStandard}</span>}
      </Fact>
      {serial !== undefined && <Fact name={text.devices.serial}>{serial}</Fact>}
      <Fact name={text.devices.diskEncryption}>
        <KnownEncryption deviceId={device.id} />
      </Fact>
      {siteId !== null && (
        <Fact name={text.devices.site}>
          <SiteName id={siteId} />
        </Fact>
      )}
      {reservedForId !== null && (
        <Fact name={text.devices.keptFor}>
          <PersonLink id={reservedForId} />
        </Fact>
      )}
      {purchasedOn !== null && <Fact name={text.devices.purchased}>{purchasedOn}</Fact>}
      {warrantyUntil !== null && <Fact name={text.devices.warranty}>{warrantyUntil}</Fact>}
      {model && (
        <Fact name={text.devices.replacement}>
          {model.replacementLeadDays === null
            ? text.devices.leadUnknown
            : text.devices.leadDays(model.replacementLeadDays)}
        </Fact>
      )}
      <ReporterToken device={device} />
    </dl>
  );
}

/** What its agents told last, but for its disk and its image, which have sections of their own. */
function Known({ device: { observations } }: { device: DeviceDetails }): ReactNode {
  const others = observations.filter(({ kind }) => kind !== 'disk_encryption' && kind !== 'image_version');
  if (others.length === 0) return null;
  return (
    <Section title={text.devices.known}>
      <ul className="rows">
        {others.map(({ id, kind, value, source, observedAt }) => (
          <li key={id} className="row-plain">
            <span className="row-name">{text.devices.observation[kind]}</span>
            <span className="row-detail">{value}</span>
            <span className="dim">
              {text.devices.seenBy(source)} <Instant at={observedAt} />
            </span>
          </li>
        ))}
      </ul>
    </Section>
  );
}
