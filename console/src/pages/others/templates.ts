// What a new object of another API begins with: everything it needs, with what is to be chosen in capital letters.

const TEMPLATES: Record<string, (project: string) => string> = {
  httproutes: (project) => `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: NAME
  namespace: ${project}
  # annotations:
  #   paifang.dev/host: auto  # makes a host, in the place of hostnames
spec:
  parentRefs:
    - name: GATEWAY
  hostnames:
    - demo.example.com
  rules:
    - matches:
        - path:
            type: PathPrefix
            value: /
      backendRefs:
        - name: SERVICE
          port: 80
          weight: 90
        - name: ANOTHER
          port: 80
          weight: 10
`,
  tlsroutes: (project) => `apiVersion: gateway.networking.k8s.io/v1
kind: TLSRoute
metadata:
  name: NAME
  namespace: ${project}
spec:
  parentRefs:
    - name: GATEWAY
  hostnames:
    - demo.example.com
  rules:
    - backendRefs:
        - name: SERVICE
          port: 443
`,
  gateways: (project) => `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata:
  name: NAME
  namespace: ${project}
spec:
  gatewayClassName: paifang
  listeners:
    - name: http
      port: 8080
      protocol: HTTP
`,
  virtualservices: (project) => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: NAME
  namespace: ${project}
spec:
  hosts:
    - demo.example.com
  gateways:
    - GATEWAY
  http:
    - route:
        - destination:
            host: SERVICE
            port:
              number: 80
          weight: 90
        - destination:
            host: ANOTHER
            port:
              number: 80
          weight: 10
`,
  'istio-gateways': (project) => `apiVersion: networking.istio.io/v1
kind: Gateway
metadata:
  name: NAME
  namespace: ${project}
spec:
  selector:
    istio: ingressgateway
  servers:
    - port:
        number: 80
        name: http
        protocol: HTTP
      hosts:
        - demo.example.com
`,
}

export const templateOf = (slug: string, project: string): string => TEMPLATES[slug]?.(project) ?? ''
