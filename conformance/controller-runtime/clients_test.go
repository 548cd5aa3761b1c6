package conformance

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	eventsv1 "k8s.io/api/events/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	utilptr "k8s.io/utils/ptr"
)

const protobuf = "application/vnd.kubernetes.protobuf"

// sample is an object of each kind that is served, with what protobuf writes in ways of its own: times, quantities, numbers or texts, octets,
// maps, zeros that are kept.
func samples() map[string]runtime.Object {
	named := metav1.ObjectMeta{
		Name: "sample", Labels: map[string]string{"app": "a", "tier": ""}, Annotations: map[string]string{"note": "ünï\ncode"},
	}
	now, exact := metav1.Now().Rfc3339Copy(), metav1.NowMicro()
	port := networkingv1.ServiceBackendPort{Number: 80}
	template := corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "a"}},
		Spec: corev1.PodSpec{
			Containers: []corev1.Container{{
				Name: "c", Image: "i", Args: []string{"", "x"},
				Env: []corev1.EnvVar{{Name: "A", ValueFrom: &corev1.EnvVarSource{ConfigMapKeyRef: &corev1.ConfigMapKeySelector{
					LocalObjectReference: corev1.LocalObjectReference{Name: "m"}, Key: "k", Optional: utilptr.To(false),
				}}}},
				Resources: corev1.ResourceRequirements{Limits: corev1.ResourceList{"cpu": resource.MustParse("100m"), "memory": resource.MustParse("1Gi")}},
				ReadinessProbe: &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{
					Path: "/", Port: intstr.FromString("http"), Scheme: "HTTP",
				}}, TimeoutSeconds: 1, PeriodSeconds: 10, SuccessThreshold: 1, FailureThreshold: 3},
				VolumeMounts: []corev1.VolumeMount{{Name: "v", MountPath: "/v"}},
			}},
			Volumes: []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}},
			SecurityContext: &corev1.PodSecurityContext{
				RunAsUser: utilptr.To[int64](0), SupplementalGroups: []int64{1, 2},
			},
		},
	}
	return map[string]runtime.Object{
		"configmaps":      &corev1.ConfigMap{ObjectMeta: named, Data: map[string]string{"a": "", "b": "x\n"}, BinaryData: map[string][]byte{"c": {0, 255}}},
		"endpoints":       &corev1.Endpoints{ObjectMeta: named, Subsets: []corev1.EndpointSubset{{Addresses: []corev1.EndpointAddress{{IP: "192.0.2.1"}}, Ports: []corev1.EndpointPort{{Port: 80, Protocol: "TCP"}}}}},
		"events":          &corev1.Event{ObjectMeta: in(named, "default"), InvolvedObject: corev1.ObjectReference{Kind: "Service", Name: "s", Namespace: "default"}, Reason: "R", Message: "m", Type: "Normal", FirstTimestamp: now, LastTimestamp: now, Count: 2, Source: corev1.EventSource{Component: "c"}},
		"namespaces":      &corev1.Namespace{ObjectMeta: named},
		"nodes":           &corev1.Node{ObjectMeta: named, Spec: corev1.NodeSpec{Unschedulable: true, Taints: []corev1.Taint{{Key: "k", Effect: "NoSchedule"}}}},
		"pods":            &corev1.Pod{ObjectMeta: named, Spec: template.Spec},
		"secrets":         &corev1.Secret{ObjectMeta: named, Data: map[string][]byte{"a": []byte("secret\x00")}, Type: "Opaque", Immutable: utilptr.To(false)},
		"serviceaccounts": &corev1.ServiceAccount{ObjectMeta: named, Secrets: []corev1.ObjectReference{{Name: "sample"}}, AutomountServiceAccountToken: utilptr.To(false)},
		"services": &corev1.Service{ObjectMeta: named, Spec: corev1.ServiceSpec{
			Selector: map[string]string{"app": "a"}, SessionAffinity: "ClientIP",
			Ports: []corev1.ServicePort{{Name: "a", Port: 80, TargetPort: intstr.FromString("http")}, {Name: "b", Port: 81, TargetPort: intstr.FromInt32(8081)}},
		}},
		"deployments":    &appsv1.Deployment{ObjectMeta: named, Spec: appsv1.DeploymentSpec{Replicas: utilptr.To[int32](0), Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "a"}}, Template: template, Strategy: appsv1.DeploymentStrategy{RollingUpdate: &appsv1.RollingUpdateDeployment{MaxSurge: utilptr.To(intstr.FromString("10%")), MaxUnavailable: utilptr.To(intstr.FromInt32(0))}}}},
		"leases":         &coordinationv1.Lease{ObjectMeta: named, Spec: coordinationv1.LeaseSpec{HolderIdentity: utilptr.To("me"), LeaseDurationSeconds: utilptr.To[int32](15), AcquireTime: &exact, RenewTime: &exact}},
		"endpointslices": &discoveryv1.EndpointSlice{ObjectMeta: named, AddressType: "IPv4", Endpoints: []discoveryv1.Endpoint{{Addresses: []string{"192.0.2.1"}, Conditions: discoveryv1.EndpointConditions{Ready: utilptr.To(false)}, Hints: &discoveryv1.EndpointHints{ForZones: []discoveryv1.ForZone{{Name: "z"}}}}}, Ports: []discoveryv1.EndpointPort{{Name: utilptr.To(""), Port: utilptr.To[int32](80)}}},
		"events.events":  &eventsv1.Event{ObjectMeta: in(renamed(named, "other"), "default"), EventTime: exact, ReportingController: "a.example/c", ReportingInstance: "i", Action: "A", Reason: "R", Type: "Warning", Note: "n", Regarding: corev1.ObjectReference{Kind: "Service", Name: "s", Namespace: "default"}},
		"ingressclasses": &networkingv1.IngressClass{ObjectMeta: named, Spec: networkingv1.IngressClassSpec{Controller: "a.example/c", Parameters: &networkingv1.IngressClassParametersReference{APIGroup: utilptr.To("a.example"), Kind: "K", Name: "n", Scope: utilptr.To("Cluster")}}},
		"ingresses": &networkingv1.Ingress{ObjectMeta: named, Spec: networkingv1.IngressSpec{
			TLS:            []networkingv1.IngressTLS{{Hosts: []string{"a.example"}, SecretName: "s"}},
			DefaultBackend: &networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{Name: "s", Port: port}},
			Rules: []networkingv1.IngressRule{{Host: "a.example", IngressRuleValue: networkingv1.IngressRuleValue{HTTP: &networkingv1.HTTPIngressRuleValue{
				Paths: []networkingv1.HTTPIngressPath{{Path: "/", PathType: utilptr.To(networkingv1.PathTypePrefix), Backend: networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{Name: "s", Port: port}}}},
			}}}},
		}},
		"clusterroles":              &rbacv1.ClusterRole{ObjectMeta: named, Rules: []rbacv1.PolicyRule{{Verbs: []string{"get"}, NonResourceURLs: []string{"/x"}}}},
		"clusterrolebindings":       &rbacv1.ClusterRoleBinding{ObjectMeta: named, Subjects: []rbacv1.Subject{{Kind: "Group", APIGroup: "rbac.authorization.k8s.io", Name: "g"}}, RoleRef: rbacv1.RoleRef{APIGroup: "rbac.authorization.k8s.io", Kind: "ClusterRole", Name: "sample"}},
		"roles":                     &rbacv1.Role{ObjectMeta: named, Rules: []rbacv1.PolicyRule{{Verbs: []string{"get"}, APIGroups: []string{""}, Resources: []string{"services"}}}},
		"rolebindings":              &rbacv1.RoleBinding{ObjectMeta: named, Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Name: "n", Namespace: "default"}}, RoleRef: rbacv1.RoleRef{APIGroup: "rbac.authorization.k8s.io", Kind: "Role", Name: "sample"}},
		"customresourcedefinitions": widgetDefinition("samples"),
	}
}

func in(object metav1.ObjectMeta, namespace string) metav1.ObjectMeta {
	object.Namespace = namespace
	return object
}

func renamed(object metav1.ObjectMeta, name string) metav1.ObjectMeta {
	object.Name = name
	return object
}

// One client of each encoding: they must agree on every object, whoever wrote it.
func TestProtobufAndJSONSayTheSame(t *testing.T) {
	p := start(t)
	must(t, apiextensionsv1.AddToScheme(scheme.Scheme))
	mapper := served(t, p)
	ctx := patient(t)
	for name, sample := range samples() {
		t.Run(name, func(t *testing.T) {
			gvk := kindOf(t, sample)
			mapping, err := mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
			must(t, err)
			binary, text := speaking(t, p, gvk.GroupVersion(), protobuf), speaking(t, p, gvk.GroupVersion(), "application/json")
			namespaced := mapping.Scope.Name() == meta.RESTScopeNameNamespace
			at := func(request *rest.Request) *rest.Request {
				return request.Resource(mapping.Resource.Resource).NamespaceIfScoped("default", namespaced)
			}
			accessor, err := meta.Accessor(sample)
			must(t, err)
			watched, err := at(binary.Get()).VersionedParams(&metav1.ListOptions{Watch: true, AllowWatchBookmarks: true}, scheme.ParameterCodec).Watch(ctx)
			must(t, err)
			defer watched.Stop()

			created := fresh(sample)
			must(t, at(binary.Post()).Body(sample).Do(ctx).Into(created))
			read := fresh(sample)
			must(t, at(text.Get()).Name(accessor.GetName()).Do(ctx).Into(read))
			same(t, "created in protobuf, read in JSON", settled(created), settled(read))
			again := fresh(sample)
			must(t, at(binary.Get()).Name(accessor.GetName()).Do(ctx).Into(again))
			same(t, "read in JSON, read in protobuf", settled(read), settled(again))

			changed, _ := meta.Accessor(again)
			changed.SetLabels(map[string]string{"app": "b"})
			changed.SetResourceVersion("")
			must(t, at(binary.Put()).Name(accessor.GetName()).Body(again).Do(ctx).Into(again))
			// JSON is read into what is there.
			read = fresh(sample)
			must(t, at(text.Get()).Name(accessor.GetName()).Do(ctx).Into(read))
			same(t, "updated in protobuf, read in JSON", settled(again), settled(read))

			inBinary, inText := listed(t, ctx, at(binary.Get()), gvk), listed(t, ctx, at(text.Get()), gvk)
			same(t, "lists", inBinary, inText)
			must(t, at(binary.Patch(types.MergePatchType)).Name(accessor.GetName()).Body([]byte(`{"metadata":{"labels":{"app":"c"}}}`)).Do(ctx).Into(again))

			background := metav1.DeletePropagationBackground
			options := &metav1.DeleteOptions{PropagationPolicy: &background, Preconditions: &metav1.Preconditions{UID: utilptr.To(changed.GetUID())}}
			must(t, at(binary.Delete()).Name(accessor.GetName()).Body(options).Do(ctx).Error())
			seen := []string{}
			for event := range watched.ResultChan() {
				object, err := meta.Accessor(event.Object)
				must(t, err)
				if object.GetName() != accessor.GetName() || event.Type == watch.Bookmark {
					continue
				}
				seen = append(seen, string(event.Type)+" "+object.GetLabels()["app"])
				if event.Type == watch.Deleted {
					break
				}
			}
			// What is told of it besides, such as its status, may come in between.
			contains(t, strings.Join(seen, ", "), "ADDED a", "MODIFIED b", "MODIFIED c", "DELETED c")
			// A namespace or a definition is emptied first.
			eventually(t, "it is gone, and that is said in protobuf", func() error {
				if err := at(binary.Get()).Name(accessor.GetName()).Do(ctx).Into(again); !apierrors.IsNotFound(err) {
					return fmt.Errorf("%v", err)
				}
				return nil
			})
		})
	}
}

func served(t *testing.T, p *paifang) meta.RESTMapper {
	t.Helper()
	mapper := meta.NewDefaultRESTMapper(nil)
	_, lists, err := p.client().Discovery().ServerGroupsAndResources()
	must(t, err)
	for _, list := range lists {
		version, err := schema.ParseGroupVersion(list.GroupVersion)
		must(t, err)
		for _, one := range list.APIResources {
			if strings.Contains(one.Name, "/") {
				continue
			}
			var scope meta.RESTScope = meta.RESTScopeRoot
			if one.Namespaced {
				scope = meta.RESTScopeNamespace
			}
			mapper.AddSpecific(version.WithKind(one.Kind), version.WithResource(one.Name), version.WithResource(one.SingularName), scope)
		}
	}
	return mapper
}

func speaking(t *testing.T, p *paifang, version schema.GroupVersion, mediaType string) rest.Interface {
	t.Helper()
	config := p.config()
	config.GroupVersion, config.APIPath = &version, "/apis"
	if version.Group == "" {
		config.APIPath = "/api"
	}
	config.NegotiatedSerializer = scheme.Codecs.WithoutConversion()
	// Nothing else is accepted: an answer in another encoding fails the test.
	config.ContentType, config.AcceptContentTypes = mediaType, mediaType
	client, err := rest.RESTClientFor(config)
	must(t, err)
	return client
}

func kindOf(t *testing.T, object runtime.Object) schema.GroupVersionKind {
	t.Helper()
	kinds, _, err := scheme.Scheme.ObjectKinds(object)
	must(t, err)
	return kinds[0]
}

func fresh(object runtime.Object) runtime.Object {
	return reflect.New(reflect.TypeOf(object).Elem()).Interface().(runtime.Object)
}

// settled is the object without what may change between two reads, and what encodings write differently on purpose.
func settled(object runtime.Object) runtime.Object {
	object.GetObjectKind().SetGroupVersionKind(schema.GroupVersionKind{})
	accessor, _ := meta.Accessor(object)
	accessor.SetResourceVersion("")
	accessor.SetManagedFields(nil)
	if ingress, is := object.(*networkingv1.Ingress); is {
		ingress.Status = networkingv1.IngressStatus{}
	}
	if deployment, is := object.(*appsv1.Deployment); is {
		deployment.Status = appsv1.DeploymentStatus{}
	}
	return object
}

func listed(t *testing.T, ctx context.Context, request *rest.Request, gvk schema.GroupVersionKind) []runtime.Object {
	t.Helper()
	list, err := scheme.Scheme.New(gvk.GroupVersion().WithKind(gvk.Kind + "List"))
	must(t, err)
	must(t, request.Do(ctx).Into(list))
	items, err := meta.ExtractList(list)
	must(t, err)
	kept := items[:0]
	for _, item := range items {
		if accessor, _ := meta.Accessor(item); strings.HasPrefix(accessor.GetName(), "sample") || accessor.GetName() == "other" {
			kept = append(kept, settled(item))
		}
	}
	return kept
}

func same(t *testing.T, what string, one, other any) {
	t.Helper()
	if !reflect.DeepEqual(one, other) {
		left, _ := json.MarshalIndent(one, "", " ")
		right, _ := json.MarshalIndent(other, "", " ")
		t.Fatalf("%s differ:\n%s\n%s", what, left, right)
	}
}

// What is asked and not stored, subresources and metadata of any kind.
func TestQuestionsAndSubresourcesInProtobuf(t *testing.T) {
	p := start(t)
	ctx, client := patient(t), p.client()
	who, err := client.AuthenticationV1().SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	must(t, err)
	contains(t, strings.Join(who.Status.UserInfo.Groups, " "), "system:masters")
	may, err := client.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, &authorizationv1.SelfSubjectAccessReview{
		Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &authorizationv1.ResourceAttributes{Verb: "get", Resource: "pods"}},
	}, metav1.CreateOptions{})
	must(t, err)
	if !may.Status.Allowed {
		t.Fatalf("%v", may.Status)
	}
	_, err = client.CoreV1().ServiceAccounts("default").Create(ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "robot"}}, metav1.CreateOptions{})
	must(t, err)
	token, err := client.CoreV1().ServiceAccounts("default").CreateToken(ctx, "robot", &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	must(t, err)
	whose, err := client.AuthenticationV1().TokenReviews().Create(ctx, &authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: token.Status.Token}}, metav1.CreateOptions{})
	must(t, err)
	if whose.Status.User.Username != "system:serviceaccount:default:robot" || len(whose.Status.User.Extra) == 0 {
		t.Fatalf("%#v", whose.Status)
	}
	deployment := samples()["deployments"].(*appsv1.Deployment)
	_, err = client.AppsV1().Deployments("default").Create(ctx, deployment, metav1.CreateOptions{})
	must(t, err)
	scale, err := client.AppsV1().Deployments("default").GetScale(ctx, "sample", metav1.GetOptions{})
	must(t, err)
	scale.Spec.Replicas = 3
	scale, err = client.AppsV1().Deployments("default").UpdateScale(ctx, "sample", scale, metav1.UpdateOptions{})
	must(t, err)
	if scale.Spec.Replicas != 3 {
		t.Fatalf("%#v", scale)
	}
	_, err = client.CoreV1().ConfigMaps("default").Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "Not_A_Name"}}, metav1.CreateOptions{})
	if !apierrors.IsInvalid(err) || !apierrors.HasStatusCause(err, metav1.CauseTypeFieldValueInvalid) {
		t.Fatalf("causes come through: %v", err)
	}

	metadataClient, err := metadata.NewForConfig(p.config())
	must(t, err)
	partial, err := metadataClient.Resource(appsv1.SchemeGroupVersion.WithResource("deployments")).Namespace("default").Get(ctx, "sample", metav1.GetOptions{})
	must(t, err)
	if partial.UID == "" || partial.Labels["app"] != "a" {
		t.Fatalf("%#v", partial)
	}
	all, err := metadataClient.Resource(schema.GroupVersionResource{Group: "gateway.networking.k8s.io", Version: "v1", Resource: "gatewayclasses"}).List(ctx, metav1.ListOptions{})
	must(t, err)
	if all.ResourceVersion == "" {
		t.Fatalf("%#v", all)
	}
}

// Bodies that are no protobuf, or half of one, are refused and nothing else happens.
func TestDamagedProtobufIsRefused(t *testing.T) {
	p := start(t)
	binary := speaking(t, p, corev1.SchemeGroupVersion, protobuf)
	whole, err := runtime.Encode(codec(t), samples()["configmaps"])
	must(t, err)
	for end := range whole {
		result := binary.Post().Namespace("default").Resource("configmaps").SetHeader("Content-Type", protobuf).Body(whole[:end]).Do(patient(t))
		if err := result.Error(); err == nil && end > 0 {
			// A cut between two fields is a shorter object: without a name at first.
			_ = binary.Delete().Namespace("default").Resource("configmaps").Name("sample").Do(patient(t))
		} else if !apierrors.IsBadRequest(err) && !apierrors.IsInvalid(err) && !apierrors.IsUnsupportedMediaType(err) {
			t.Fatalf("%d of %d octets: %v", end, len(whole), err)
		}
	}
	must(t, binary.Post().Namespace("default").Resource("configmaps").SetHeader("Content-Type", protobuf).Body(whole).Do(patient(t)).Error())
	// A kind of a definition has no messages, so it is not answered in protobuf; a client that takes JSON too gets that.
	widgets := speaking(t, p, schema.GroupVersion{Group: "gateway.networking.k8s.io", Version: "v1"}, protobuf)
	err = widgets.Get().Resource("gatewayclasses").Do(patient(t)).Error()
	if apierrors.ReasonForError(err) != metav1.StatusReasonNotAcceptable {
		t.Fatalf("%v", err)
	}
}

func codec(t *testing.T) runtime.Codec {
	t.Helper()
	info, found := runtime.SerializerInfoForMediaType(scheme.Codecs.SupportedMediaTypes(), protobuf)
	if !found {
		t.Fatal("client-go knows protobuf")
	}
	return scheme.Codecs.CodecForVersions(info.Serializer, nil, corev1.SchemeGroupVersion, nil)
}

// What client-go sends when nobody configures it.
func TestTypedClientsSpeakProtobufByThemselves(t *testing.T) {
	p := start(t)
	config := p.config()
	spoken := map[string]bool{}
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return round(func(request *http.Request) (*http.Response, error) {
			if request.Body != nil && request.Method == http.MethodPost {
				spoken[request.Header.Get("Content-Type")] = true
			}
			response, err := next.RoundTrip(request)
			if err == nil && request.Method == http.MethodPost {
				spoken["answer "+response.Header.Get("Content-Type")] = true
			}
			return response, err
		})
	})
	client := clientFor(t, config)
	_, err := client.CoreV1().ConfigMaps("default").Create(patient(t), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "a"}}, metav1.CreateOptions{})
	must(t, err)
	if !spoken[protobuf] || !spoken["answer "+protobuf] {
		t.Fatalf("%v", spoken)
	}
}

type round func(*http.Request) (*http.Response, error)

func (r round) RoundTrip(request *http.Request) (*http.Response, error) { return r(request) }
