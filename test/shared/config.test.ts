import { expect, test } from '@jest/globals';
import { readConfig } from '../../shared/config.ts';
import { defaultExports, ExportPolicy } from '../../shared/drive/exports.ts';

const env = {
  GAZELINE_PROJECT: 'my-lab',
  GAZELINE_STUDY_FOLDER: '1AbC_dEfGhIjKlMnOp',
  GAZELINE_RAW_BUCKET: 'lab-raw',
  GAZELINE_DERIVED_BUCKET: 'lab-derived',
  GAZELINE_STATE_BUCKET: 'lab-state',
};

test('what is optional has a default or is undefined, and an empty variable is an unset one', () => {
  const expected = {
    project: 'my-lab',
    studyFolder: '1AbC_dEfGhIjKlMnOp',
    rawBucket: 'lab-raw',
    derivedBucket: 'lab-derived',
    stateBucket: 'lab-state',
    visionUnitsPerDay: 1000,
    languageUnitsPerDay: 5000,
    apiUrl: [],
    apiRequestsPerMinute: 600,
    driveBackoff: 1000,
    driveUnitsPerMinute: 300_000,
    include: [],
    exclude: [],
    excludeTypes: [],
    exports: ExportPolicy.parse(defaultExports),
    removalsPerRun: 1000,
    transferSeconds: 400,
    lab: 'gazeline',
    budgets: [],
    budgetCurrency: 'USD',
    budgetPeriod: 'month',
    budgetThresholds: { warned: 0.5, 'no-new-work': 0.9, 'stop-idle': 1, 'stop-all': 1.1 },
    detachBilling: 'off',
    detachProjects: [],
    discardLocalSsd: 'no',
    idleStop: 'on',
    noticeFile: 'on',
    idleAfter: 60,
    idleAfterWithoutAgent: 120,
    idleCountdown: 15,
    idleGrace: 30,
    idleHardLimit: 240,
  };
  const empty = {
    GAZELINE_SHARED_DRIVE: '',
    GAZELINE_WEBHOOK_URL: '',
    GAZELINE_CHANNEL_SECRET: '',
    GAZELINE_VISION_UNITS_PER_DAY: '',
    GAZELINE_LANGUAGE_UNITS_PER_DAY: '',
    GAZELINE_DRIVE_BACKOFF: '',
    GAZELINE_DRIVE_UNITS_PER_MINUTE: '',
    GAZELINE_LOCAL_CLOUD: '',
    GAZELINE_INCLUDE: '',
    GAZELINE_EXPORTS: '',
    GAZELINE_MAX_SIZE: '',
    GAZELINE_BUDGETS: '',
    GAZELINE_BUDGET_AMOUNT: '',
    GAZELINE_BUDGET_THRESHOLDS: '',
    GAZELINE_DETACH_BILLING: '',
    GAZELINE_DOLLAR_RATE: '',
    GAZELINE_MOST_PER_HOUR: '',
    GAZELINE_CREDIT_LEFT: '',
    GAZELINE_CREDIT_ENDS: '',
    GAZELINE_NOTICE_WEBHOOK: '',
  };
  expect(readConfig(env)).toEqual(expected);
  expect(readConfig({ ...env, ...empty })).toEqual(expected);
});

test('everything that is set is read', () => {
  const config = readConfig({
    ...env,
    GAZELINE_SHARED_DRIVE: '0AbcdEfgh',
    GAZELINE_WEBHOOK_URL: 'https://example.org/hook',
    GAZELINE_CHANNEL_SECRET: 'sixteen characters',
    GAZELINE_VISION_UNITS_PER_DAY: '0',
    GAZELINE_LANGUAGE_UNITS_PER_DAY: '7',
    GAZELINE_DRIVE_BACKOFF: '10',
    GAZELINE_DRIVE_UNITS_PER_MINUTE: '200',
    GAZELINE_MOST_PER_HOUR: '12.50',
    GAZELINE_MOST_PER_PERSON: '200',
    GAZELINE_MOST_MACHINES_PER_PERSON: '2',
    GAZELINE_DOLLAR_RATE: '0.92',
    GAZELINE_CREDIT_LEFT: '300',
    GAZELINE_CREDIT_LEFT_ON: '2026-11-26',
    GAZELINE_CREDIT_ENDS: '2027-02-23',
  });
  expect(config).toMatchObject({
    sharedDrive: '0AbcdEfgh',
    webhookUrl: 'https://example.org/hook',
    channelSecret: 'sixteen characters',
    visionUnitsPerDay: 0,
    languageUnitsPerDay: 7,
    driveBackoff: 10,
    driveUnitsPerMinute: 200,
    mostPerHour: 12.5,
    mostPerPerson: 200,
    mostMachinesPerPerson: 2,
    dollarRate: 0.92,
    creditLeft: 300,
    creditLeftOn: '2026-11-26',
    creditEnds: '2027-02-23',
  });
});

test('every variable that is missing is named', () => {
  expect(() => readConfig({ GAZELINE_PROJECT: '' })).toThrow(
    'The configuration is not usable: ' +
      Object.keys(env)
        .map((name) => `${name} is not set`)
        .join('; '),
  );
});

test.each([
  ['GAZELINE_RAW_BUCKET', 'gs://lab-raw', /GAZELINE_RAW_BUCKET: expected a bucket name, without gs:/],
  ['GAZELINE_STUDY_FOLDER', 'https://drive.google.com/x', /GAZELINE_STUDY_FOLDER: expected the id/],
  ['GAZELINE_VISION_UNITS_PER_DAY', 'many', /GAZELINE_VISION_UNITS_PER_DAY: /],
  ['GAZELINE_VISION_UNITS_PER_DAY', '-1', /GAZELINE_VISION_UNITS_PER_DAY: /],
  ['GAZELINE_VISION_UNITS_PER_DAY', ' ', /GAZELINE_VISION_UNITS_PER_DAY: /],
  ['GAZELINE_DRIVE_UNITS_PER_MINUTE', '199', /GAZELINE_DRIVE_UNITS_PER_MINUTE: expected at least 200/],
  ['GAZELINE_WEBHOOK_URL', 'example.org', /GAZELINE_WEBHOOK_URL: /],
  ['GAZELINE_BUDGET_AMOUNT', '0', /GAZELINE_BUDGET_AMOUNT: expected more than nothing/],
  ['GAZELINE_BUDGET_CURRENCY', 'euro', /GAZELINE_BUDGET_CURRENCY: expected three capitals/],
  ['GAZELINE_IDLE_AFTER', '5', /GAZELINE_IDLE_AFTER: expected at least 10 minutes/],
  ['GAZELINE_IDLE_AFTER_WITHOUT_AGENT', '9', /GAZELINE_IDLE_AFTER_WITHOUT_AGENT: expected at least 10/],
  ['GAZELINE_IDLE_DELETE_AFTER', '0', /GAZELINE_IDLE_DELETE_AFTER: expected at least one day/],
  ['GAZELINE_BUDGET_THRESHOLDS', 'warned=half', /GAZELINE_BUDGET_THRESHOLDS: expected level=share/],
  ['GAZELINE_BUDGET_THRESHOLDS', 'warned=0.99', /GAZELINE_BUDGET_THRESHOLDS: expected thresholds that rise/],
  ['GAZELINE_BUDGET_THRESHOLDS', 'alarmed=0.5', /GAZELINE_BUDGET_THRESHOLDS: .*alarmed/],
  ['GAZELINE_DOLLAR_RATE', '0', /GAZELINE_DOLLAR_RATE: expected more than nothing/],
  ['GAZELINE_MOST_PER_HOUR', '$5', /GAZELINE_MOST_PER_HOUR: expected an amount/],
  ['GAZELINE_MOST_MACHINES_PER_PERSON', '0', /GAZELINE_MOST_MACHINES_PER_PERSON: expected at least 1/],
  ['GAZELINE_CREDIT_ENDS', '24.12.2026', /GAZELINE_CREDIT_ENDS: expected a day/],
  ['GAZELINE_DETACH_BILLING', 'yes', /GAZELINE_DETACH_BILLING: /],
  ['GAZELINE_NOTICE_WEBHOOK', 'file:///etc/passwd', /GAZELINE_NOTICE_WEBHOOK: /],
  ['GAZELINE_CHANNEL_SECRET', 'hunter2', /GAZELINE_CHANNEL_SECRET: expected at least 16 characters/],
])('%s=%s is refused, and the variable is named', (name, value, message) => {
  expect(() => readConfig({ ...env, [name]: value })).toThrow(message);
});

test('a secret that is too short is not shown', () => {
  expect(() => readConfig({ ...env, GAZELINE_CHANNEL_SECRET: 'hunter2' })).toThrow(/^(?!.*hunter2)/);
});

test('globs are separated by commas or new lines, and may hold spaces', () => {
  const config = readConfig({ ...env, GAZELINE_EXCLUDE: ' raw data/**, *.tmp\nold/** ,' });
  expect(config.exclude).toEqual(['raw data/**', '*.tmp', 'old/**']);
});

test('an export policy names kinds and formats, and a wrong one is answered with those that there are', () => {
  const { exports } = readConfig({ ...env, GAZELINE_EXPORTS: 'document=pdf spreadsheet=xlsx+ods' });
  expect(exports).toEqual({
    'application/vnd.google-apps.document': [{ extension: 'pdf', mimeType: 'application/pdf' }],
    'application/vnd.google-apps.spreadsheet': [
      expect.objectContaining({ extension: 'xlsx' }),
      expect.objectContaining({ extension: 'ods' }),
    ],
  });
  for (const wrong of ['document=exe', 'film=pdf', 'document'])
    expect(() =>
      readConfig({ ...env, GAZELINE_EXPORTS: wrong === 'document' ? 'documents=' : wrong }),
    ).toThrow(/GAZELINE_EXPORTS: .*expected document, spreadsheet/);
});

test('thresholds are named, and those that are not have their defaults', () => {
  const { budgetThresholds } = readConfig({
    ...env,
    GAZELINE_BUDGET_THRESHOLDS: ' warned=0.75, stop-all=1.5 detached=2',
  });
  expect(budgetThresholds).toEqual({
    warned: 0.75,
    'no-new-work': 0.9,
    'stop-idle': 1,
    'stop-all': 1.5,
    detached: 2,
  });
});
