import type { ReactNode } from 'react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { deviceQuery, modelsQuery, recoveryKeysQuery } from '../../api/queries.js';
import type { DeviceDetails } from '../../api/types.js';
import { Empty, Loaded, LoadedPage } from '../../parts/loaded.js';
import { PersonLink } from '../../parts/person-link.js';
import { Page, Section } from '../../parts/section.js';
import { Mark } from '../../parts/step-state-mark.js';
import { useMay } from '../../shell/caller.js';
import { text } from '../../text/text.js';
import { Instant } from '../../time/instant.js';
import { encryptionLooks, encryptionWord } from './encryption.js';

const route = getRouteApi('/devices/$deviceId');

export function DevicePage(): ReactNode {
  const { deviceId } = route.useParams();
  const query = useQuery(deviceQuery(deviceId));
  return (
    <LoadedPage key={deviceId} query={query} title={text.devices.device}>
      {(device) => <ShownDevice device={device} />}
    </LoadedPage>
  );
}

function ShownDevice({ device }: { device: DeviceDetails }): ReactNode {
  const may = useMay();
  const { data: models } = useQuery(modelsQuery);
  const model = models?.items.find(({ id }) => id === device.modelId);
  const { observations } = device;
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
      acts={
        device.holderId !== null &&
        may('lost-devices:report') && (
          <Link to="/lost-laptop" search={{ device: device.id }} className="act-link act-danger">
            {text.nav.lostLaptop}
          </Link>
        )
      }
    >
      <dl className="facts">
        <div>
          <dt>{text.devices.model}</dt>
          <dd>{model ? `${model.manufacturer} ${model.name}` : text.devices.unknownModel}</dd>
        </div>
        {device.serial !== undefined && (
          <div>
            <dt>{text.devices.serial}</dt>
            <dd>{device.serial}</dd>
          </div>
        )}
        {model && (
          <div>
            <dt>{text.devices.replacement}</dt>
            <dd>
              {model.replacementLeadDays === null
                ? text.devices.leadUnknown
                : text.devices.leadDays(model.replacementLeadDays)}
            </dd>
          </div>
        )}
        <div>
          <dt>{text.devices.diskEncryption}</dt>
          <dd>
            <Mark {...encryptionLooks(observations.find(({ kind }) => kind === 'disk_encryption'))} />
          </dd>
        </div>
      </dl>
      <Section title={text.devices.known}>
        {observations.length === 0 ? (
          <Empty>{text.devices.nothingKnown}</Empty>
        ) : (
          <ul className="rows">
            {observations.map(({ id, kind, value, source, observedAt }) => (
              <li key={id} className="row-plain">
                <span className="row-name">{text.devices.observation[kind]}</span>
                <span className="row-detail">{kind === 'disk_encryption' ? encryptionWord(value) : value}</span>
                <span className="dim">
                  {text.devices.seenBy(source)} <Instant at={observedAt} />
                </span>
              </li>
            ))}
          </ul>
        )}
      </Section>
      <Keys deviceId={device.id} />
    </Page>
  );
}

/** That recovery keys are kept and who read one; the keys themselves only where somebody asks for one with a reason. */
function Keys({ deviceId }: { deviceId: string }): ReactNode {
  const query = useQuery({ ...recoveryKeysQuery(deviceId), retry: false });
  return (
    <Section title={text.devices.recoveryKeys} count={query.data?.items.length}>
      <Loaded query={query} lines={1}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty>{text.devices.noKeys}</Empty>
          ) : (
            <ul className="rows">
              {items.map(({ id, protects, source, keptAt, revealedAt }) => (
                <li key={id} className="row-plain">
                  <span className="row-name">{text.devices.protects[protects]}</span>
                  <span className="row-detail">
                    {text.devices.keptFrom(source)} <Instant at={keptAt} />
                  </span>
                  <span>
                    {revealedAt === null ? (
                      text.devices.neverRevealed
                    ) : (
                      <>
                        ▲ {text.devices.revealed} <Instant at={revealedAt} />
                      </>
                    )}
                  </span>
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </Section>
  );
}
