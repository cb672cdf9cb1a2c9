import { useLocalCloud } from '../../../../localCloud.ts';
import { describePubSub } from './suite.ts';

const cloud = useLocalCloud();
describePubSub(() => ({ grpc: cloud.grpcHost, http: cloud.origin }));
