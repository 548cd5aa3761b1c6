// Who may give a LoadBalancer its address, and the annotations that each understands.
import type { Hint } from '../api/console'
import type { Entry } from './entries'

export interface Provider {
  name: string
  keys: string[]
  /** Filled in when it is chosen. */
  defaults?: Entry[]
}

const under = (prefix: string, names: string) => names.split(' ').map((name) => prefix + name)
const SERVICE = 'service.beta.kubernetes.io/'

export const PROVIDERS: Provider[] = [
  {
    name: 'OpenELB',
    keys: ['lb.kubesphere.io/v1alpha1', 'protocol.openelb.kubesphere.io/v1alpha1', 'eip.openelb.kubesphere.io/v1alpha2'],
    defaults: [
      { key: 'lb.kubesphere.io/v1alpha1', value: 'openelb' },
      { key: 'protocol.openelb.kubesphere.io/v1alpha1', value: 'layer2' },
    ],
  },
  { name: 'Porter', keys: ['lb.kubesphere.io/v1alpha1', 'protocol.porter.kubesphere.io/v1alpha1', 'eip.porter.kubesphere.io/v1alpha2'], defaults: [{ key: 'lb.kubesphere.io/v1alpha1', value: 'porter' }] },
  { name: 'MetalLB', keys: under('metallb.io/', 'address-pool loadBalancerIPs allow-shared-ip ip-allocated-from-pool') },
  {
    name: 'QingCloud',
    keys: under(`${SERVICE}qingcloud-`, 'load-balancer-eip-ids load-balancer-type load-balancer-network-type load-balancer-eip-source'),
    defaults: [
      { key: `${SERVICE}qingcloud-load-balancer-eip-ids`, value: '' },
      { key: `${SERVICE}qingcloud-load-balancer-type`, value: '0' },
    ],
  },
  {
    name: 'Alibaba Cloud ACK',
    keys: under(
      `${SERVICE}alibaba-cloud-loadbalancer-`,
      'address-type charge-type id spec master-zoneid slave-zoneid force-override-listeners bandwidth vswitch-id additional-resource-tags ip-version delete-protection modification-protection resource-group-id name',
    ),
  },
  { name: 'Huawei Cloud CCE', keys: [...under('kubernetes.io/elb.', 'class id subnet-id'), 'kubernetes.io/session-affinity-mode'] },
  {
    name: 'Tencent Cloud TKE',
    keys: [
      ...under('service.kubernetes.io/', 'loadbalance-id qcloud-loadbalancer-internal-subnetid tke-existed-lbid local-svc-only-bind-node-with-pod'),
      'service.cloud.tencent.com/direct-access',
      ...under('kubernetes.io/service.internet', 'ChargeType MaxBandwidthOut'),
    ],
  },
  {
    name: 'AWS EKS',
    keys: [
      `${SERVICE}load-balancer-source-ranges`,
      ...under(
        `${SERVICE}aws-load-balancer-`,
        'type nlb-target-type name internal scheme proxy-protocol ip-address-type access-log-enabled access-log-s3-bucket-name access-log-s3-bucket-prefix access-log-emit-interval cross-zone-load-balancing-enabled ssl-cert ssl-ports ssl-negotiation-policy backend-protocol additional-resource-tags healthcheck-protocol healthcheck-port healthcheck-path healthcheck-healthy-threshold healthcheck-unhealthy-threshold healthcheck-timeout healthcheck-interval healthcheck-success-codes eip-allocations private-ipv4-addresses target-group-attributes subnets alpn-policy target-node-labels',
      ),
    ],
  },
  { name: 'Azure AKS', keys: under(`${SERVICE}azure-`, 'load-balancer-internal load-balancer-internal-subnet dns-label-name shared-securityrule load-balancer-resource-group allowed-service-tags load-balancer-tcp-idle-timeout load-balancer-disable-tcp-reset') },
  { name: 'Google GKE', keys: ['cloud.google.com/network-tier', 'networking.gke.io/load-balancer-type'] },
]

export const providerHints = (name: string): Hint[] => (PROVIDERS.find((it) => it.name === name)?.keys ?? []).map((key) => ({ name: key }))

const KNOWN = new Set(PROVIDERS.flatMap((it) => it.keys))
/** Whether some provider reads it, so that it says nothing where nobody balances. */
export const isOfProvider = (key: string) => KNOWN.has(key)
