import { startMetadataServer } from '../../deploy/local/cloud/compute/metadataServer.ts';
import { mintToken } from '../../deploy/local/cloud/compute/mintToken.ts';
import { mintIdToken } from '../../deploy/local/cloud/token/mintIdToken.ts';

// The metadata server of a machine of the lab, for a notebook on it. It ends with its standard input.
const [cloud = '', keyFile = '', api = ''] = process.argv.slice(2);
const email = 'machines@gazeline-local.iam.gserviceaccount.com';
const server = await startMetadataServer(
  {
    id: '4520031799277581001',
    name: 'workbench',
    zone: 'europe-west4-a',
    machineType: 'n1-standard-4',
    project: 'gazeline-local',
    numericProject: '123456789012',
    attributes: { 'gazeline-api': api },
    preempted: false,
    scheduling: { preemptible: false, automaticRestart: true, onHostMaintenance: 'MIGRATE' },
    serviceAccount: { email, scopes: ['https://www.googleapis.com/auth/cloud-platform'] },
    guestAttributes: {},
  },
  { mintToken: () => mintToken(cloud, keyFile), mintIdToken: (...asked) => mintIdToken(cloud, ...asked) },
);
console.log(server.host);
process.stdin.resume().once('end', () => process.exit());
