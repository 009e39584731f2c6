import { useId, useState, type ReactNode } from 'react';
import { Button, Textarea, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { answerOf, api } from '../../api/client.js';
import { sitesQuery } from '../../api/device-queries.js';
import type { Site } from '../../api/types.js';
import { ActDialog } from '../../parts/act-dialog.js';
import { Empty, Loaded } from '../../parts/loaded.js';
import { Table } from '../../parts/table.js';
import { useMayEverywhere } from '../../shell/caller.js';
import { text } from '../../text/text.js';
import { clockIn } from '../../time/instant.js';
import { serverNow } from '../../time/server-clock.js';
import { SettingsFrame } from './settings-frame.js';

const words = text.settings.sites;

/** Where people work and devices are: a leave on a date ends by the zone of the site. */
export function SitesPage(): ReactNode {
  const mayChange = useMayEverywhere()('people:write');
  const query = useQuery(sitesQuery);
  const [asked, setAsked] = useState<'new' | Site | null>(null);
  return (
    <SettingsFrame words={words} acts={mayChange && <Button onClick={() => setAsked('new')}>{words.add}</Button>}>
      <Loaded query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty>{words.none}</Empty>
          ) : (
            <Table
              rows={items}
              columns={[
                { name: words.name, cell: ({ name }) => name },
                {
                  name: words.zone,
                  cell: ({ zone }) => {
                    const clock = clockIn(zone, serverNow());
                    return clock === null ? zone : text.people.localTime(zone, clock);
                  },
                },
                {
                  name: words.address,
                  cell: ({ address }) => <span className="address">{address ?? words.noAddress}</span>,
                },
                ...(mayChange
                  ? [
                      {
                        name: text.settings.acts,
                        cell: (site: Site) => (
                          <Button
                            size="compact-xs"
                            variant="default"
                            onClick={() => setAsked(site)}
                            aria-label={text.devices.actOn(text.settings.change, site.name)}
                          >
                            {text.settings.change}
                          </Button>
                        ),
                      },
                    ]
                  : []),
              ]}
            />
          )
        }
      </Loaded>
      {asked !== null && (
        <SiteDialog
          site={asked === 'new' ? null : asked}
          taken={(query.data?.items ?? []).map((site) => site.name)}
          onClose={() => setAsked(null)}
        />
      )}
    </SettingsFrame>
  );
}

interface Props {
  /** Null: a new one. */
  site: Site | null;
  /** What other sites are called: a new one of such a name would change that one. */
  taken: readonly string[];
  onClose: () => void;
}

function SiteDialog({ site, taken, onClose }: Props): ReactNode {
  const [name, setName] = useState(site?.name ?? '');
  const [zone, setZone] = useState(site?.zone ?? '');
  const [address, setAddress] = useState(site?.address ?? '');
  const zones = useId();
  const isTaken = !site && taken.includes(name.trim());
  return (
    <ActDialog
      title={site ? text.devices.actOn(text.settings.change, site.name) : words.addTitle}
      verb={site ? text.save : words.addVerb}
      isIncomplete={name.trim() === '' || zone.trim() === '' || isTaken}
      act={() => {
        const body = { zone: zone.trim(), address: address.trim() === '' ? null : address.trim() };
        return answerOf(api.PUT('/v1/sites/{name}', { params: { path: { name: name.trim() } }, body }));
      }}
      onDone={onClose}
      onClose={onClose}
    >
      {!site && (
        <TextInput
          label={words.name}
          description={words.nameMeans}
          error={isTaken && words.taken}
          value={name}
          onChange={({ currentTarget }) => setName(currentTarget.value)}
          required
          maxLength={200}
          data-autofocus
        />
      )}
      <TextInput
        label={words.zone}
        description={words.zoneMeans}
        value={zone}
        onChange={({ currentTarget }) => setZone(currentTarget.value)}
        list={zones}
        required
        maxLength={100}
        autoComplete="off"
        spellCheck={false}
      />
      <datalist id={zones}>
        {Intl.supportedValuesOf('timeZone').map((one) => (
          <option key={one}>{one}</option>
        ))}
      </datalist>
      <Textarea
        label={words.address}
        description={words.addressMeans}
        value={address}
        onChange={({ currentTarget }) => setAddress(currentTarget.value)}
        rows={3}
        maxLength={500}
      />
    </ActDialog>
  );
}
