import { autocomplete, confirm, log, note, text } from '@clack/prompts';
import { activeAccount } from './account.ts';
import { type Answers, readAnswers, rememberAnswers } from './answers.ts';
import { projects } from './checkProject.ts';
import { peopleOf } from './people.ts';
import { fetchAnswers } from './stateBucket.ts';
import { answered } from './stop.ts';
import { folderIdOf } from './studyFolder.ts';

/** Those where functions, and most kinds of machines with accelerators, are. Any other may be typed. */
const regions = [
  ['europe-west4', 'Netherlands'],
  ['europe-west1', 'Belgium'],
  ['europe-west3', 'Frankfurt'],
  ['europe-north1', 'Finland'],
  ['us-central1', 'Iowa'],
  ['us-east1', 'South Carolina'],
  ['us-west1', 'Oregon'],
  ['asia-northeast1', 'Tokyo'],
  ['asia-southeast1', 'Singapore'],
  ['australia-southeast1', 'Sydney'],
] as const;

/** Asks what is missing, one thing after the other; each answer is remembered at once. */
export async function ask(before: Answers, { ci = false }: { ci?: boolean } = {}): Promise<Answers> {
  const answers = { ...before };
  const remember = async (more: Answers) => rememberAnswers(Object.assign(answers, more));

  if (!answers.project) await remember({ project: await askProject() });
  if (!answers.study_folder && (await fetchAnswers(answers.project ?? ''))) {
    Object.assign(answers, await readAnswers());
    log.info('There is a lab in this project: the answers that were kept with it are used.');
  }
  if (!answers.region) await remember({ region: await askRegion() });
  if (!answers.study_folder) {
    const link = answered(
      await text({
        message: 'The link of the study folder in Google Drive (in Drive: right click, Share, Copy link)',
        placeholder: 'https://drive.google.com/drive/folders/…',
        validate: (value) =>
          folderIdOf(value ?? '') ? undefined : 'That is not the link of a folder in Drive.',
      }),
    );
    await remember({ study_folder: folderIdOf(link) ?? '' });
  }
  if (answers.shared_drive === undefined) {
    const link = answered(
      await text({
        message:
          'If that folder is in a shared drive: the link of the drive (Enter: it is in somebody’s My Drive)',
        placeholder: 'https://drive.google.com/drive/folders/0A…',
        defaultValue: '',
        validate: (value) =>
          !value || folderIdOf(value) ? undefined : 'That is not the link of a shared drive.',
      }),
    );
    await remember({ shared_drive: folderIdOf(link) ?? '' });
  }
  if (answers.budget === undefined) {
    const amount = answered(
      await text({
        message:
          'What may the lab spend in a month? (in the currency of your billing account; machines are stopped above it)',
        initialValue: '50',
        validate: (value) => (/^[1-9]\d{0,6}$/.test(value ?? '') ? undefined : 'A whole number, please.'),
      }),
    );
    await remember({ budget: { amount: Number(amount), currency: 'USD' } });
  }
  if (answers.people === undefined) {
    const members = answered(
      await text({
        message:
          'Who may read the data and start jobs? Addresses, separated by commas (Enter: nobody but you)',
        placeholder: 'ada@uni.example, group:lab@uni.example',
        defaultValue: '',
        validate: (value) => {
          try {
            peopleOf(value ?? '');
            return undefined;
          } catch (error) {
            return (error as Error).message;
          }
        },
      }),
    );
    const account = await activeAccount();
    const all =
      members.includes(account) || account.endsWith('.gserviceaccount.com')
        ? members
        : `${account}, ${members}`;
    const people = peopleOf(all);
    const [own] = Object.entries(people).find(([, member]) => member === `user:${account}`) ?? [];
    await remember({
      people,
      // Somebody has to be able to let the budget guard down again.
      ...(own === undefined ? {} : { roles: { [own]: 'admin' } }),
      notify: account.includes('gserviceaccount') ? [] : [account],
    });
  }
  if (ci && !answers.repository) await remember({ repository: await askRepository(answers) });
  return answers;
}

async function askProject(): Promise<string> {
  const known = await projects();
  if (known.length > 0) {
    const chosen = answered(
      await autocomplete({
        message: 'In which project? It is best to give the lab one of its own. Type to search',
        options: [
          ...known.map(({ projectId, name }) => ({
            value: projectId,
            label: projectId,
            ...(name && name !== projectId ? { hint: name } : {}),
          })),
          { value: '', label: 'another one' },
        ],
      }),
    );
    if (chosen) return chosen;
  }
  return answered(
    await text({
      message: 'The id of the project',
      placeholder: 'my-lab-gaze',
      validate: (value) =>
        /^[a-z][a-z0-9-]{4,28}[a-z0-9]$/.test(value ?? '')
          ? undefined
          : 'An id has lower-case letters, digits and -.',
    }),
  );
}

async function askRegion(): Promise<string> {
  const chosen = answered(
    await autocomplete({
      message: 'Where is everything to be? Data and functions stay in this region. Type to search',
      options: [
        ...regions.map(([value, hint]) => ({ value: value as string, label: value, hint })),
        { value: '', label: 'another one' },
      ],
    }),
  );
  if (chosen) return chosen;
  return answered(
    await text({
      message: 'The region',
      placeholder: 'europe-west9',
      validate: (value) =>
        /^[a-z]+-[a-z]+\d+$/.test(value ?? '') ? undefined : 'A region is called like europe-west4.',
    }),
  );
}

async function askRepository({ project = '', region = '' }: Answers): Promise<string> {
  note(
    [
      'Builds are started by pushes to a repository of yours, once Cloud Build may see it. Connect it here:',
      `  https://console.cloud.google.com/cloud-build/repositories/2nd-gen?project=${project}`,
      'and then look up its name:',
      `  gcloud builds repositories list --connection=CONNECTION --region=${region} --project=${project} --format="value(name)"`,
    ].join('\n'),
    'A build for every push',
  );
  return answered(
    await text({
      message: 'The full name of the repository',
      placeholder: `projects/${project}/locations/${region}/connections/github/repositories/gazeline`,
      validate: (value) =>
        /^projects\/[^/]+\/locations\/[^/]+\/connections\/[^/]+\/repositories\/[^/]+$/.test(value ?? '')
          ? undefined
          : 'Expected projects/…/locations/…/connections/…/repositories/…',
    }),
  );
}

/** @param yes said beforehand, by `--yes` */
export const agrees = async (message: string, yes: boolean | undefined): Promise<boolean> =>
  yes || answered(await confirm({ message }));
