package conformance

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clientscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/events"
	utilptr "k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

const finalizer = "demo.example/clean-up"

var widgetKind = schema.GroupVersionKind{Group: "demo.example", Version: "v1", Kind: "Widget"}

// widgetDefinition has what protobuf writes in ways of its own: numbers with a point, defaults, a schema or a boolean.
func widgetDefinition(plural string) *apiextensionsv1.CustomResourceDefinition {
	text := apiextensionsv1.JSONSchemaProps{Type: "string", MaxLength: utilptr.To[int64](100)}
	spec := apiextensionsv1.JSONSchemaProps{
		Type: "object", Required: []string{"text"}, Description: "What is wanted.",
		Properties: map[string]apiextensionsv1.JSONSchemaProps{
			"text":  text,
			"size":  {Type: "number", Minimum: utilptr.To(0.5), Maximum: utilptr.To(100.0), Default: &apiextensionsv1.JSON{Raw: []byte("1.5")}},
			"color": {Type: "string", Enum: []apiextensionsv1.JSON{{Raw: []byte(`"red"`)}, {Raw: []byte(`"blue"`)}}},
			"tags":  {Type: "array", Items: &apiextensionsv1.JSONSchemaPropsOrArray{Schema: &text}, XListType: utilptr.To("atomic"), MaxItems: utilptr.To[int64](5)},
			"more":  {Type: "object", AdditionalProperties: &apiextensionsv1.JSONSchemaPropsOrBool{Allows: true, Schema: &text}},
			"any":   {XIntOrString: true},
			"raw":   {Type: "object", XPreserveUnknownFields: utilptr.To(true)},
		},
		XValidations: apiextensionsv1.ValidationRules{{Rule: "self.text != 'no'", Message: "not that", Reason: utilptr.To(apiextensionsv1.FieldValueForbidden)}},
	}
	status := apiextensionsv1.JSONSchemaProps{Type: "object", Properties: map[string]apiextensionsv1.JSONSchemaProps{"text": text, "by": text}}
	return &apiextensionsv1.CustomResourceDefinition{
		ObjectMeta: metav1.ObjectMeta{Name: plural + ".demo.example", Labels: map[string]string{"app": "a"}},
		Spec: apiextensionsv1.CustomResourceDefinitionSpec{
			Group: "demo.example", Scope: apiextensionsv1.NamespaceScoped,
			Names: apiextensionsv1.CustomResourceDefinitionNames{Plural: plural, Singular: plural + "x", Kind: "Widget", ListKind: "WidgetList"},
			Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{
				Name: "v1", Served: true, Storage: true,
				Subresources: &apiextensionsv1.CustomResourceSubresources{Status: &apiextensionsv1.CustomResourceSubresourceStatus{}},
				Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: &apiextensionsv1.JSONSchemaProps{
					Type: "object", Properties: map[string]apiextensionsv1.JSONSchemaProps{"spec": spec, "status": status},
				}},
			}},
		},
	}
}

func widget(name, text string) *unstructured.Unstructured {
	object := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"text": text}}}
	object.SetGroupVersionKind(widgetKind)
	object.SetNamespace("default")
	object.SetName(name)
	return object
}

func install(t *testing.T, p *paifang) {
	t.Helper()
	clientset, err := apiextensions.NewForConfig(p.config())
	must(t, err)
	definitions := clientset.ApiextensionsV1().CustomResourceDefinitions()
	_, err = definitions.Create(patient(t), widgetDefinition("widgets"), metav1.CreateOptions{})
	must(t, err)
	eventually(t, "it is established", func() error {
		found, err := definitions.Get(patient(t), "widgets.demo.example", metav1.GetOptions{})
		if err != nil {
			return err
		}
		for _, condition := range found.Status.Conditions {
			if condition.Type == apiextensionsv1.Established && condition.Status == apiextensionsv1.ConditionTrue {
				return nil
			}
		}
		return fmt.Errorf("%v", found.Status.Conditions)
	})
}

// reconciler keeps a ConfigMap with the text of each Widget, says so in its status and an event, and counts what it cleaned up.
type reconciler struct {
	client.Client
	events events.EventRecorder
	name   string
}

func (r *reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	object := widget(request.Name, "")
	if err := r.Get(ctx, request.NamespacedName, object); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if object.GetDeletionTimestamp() != nil {
		if controllerutil.ContainsFinalizer(object, finalizer) {
			left := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: request.Namespace, Name: request.Name + "-was-here"}}
			if err := r.Create(ctx, left); err != nil && !apierrors.IsAlreadyExists(err) {
				return ctrl.Result{}, err
			}
			controllerutil.RemoveFinalizer(object, finalizer)
			return ctrl.Result{}, r.Update(ctx, object)
		}
		return ctrl.Result{}, nil
	}
	if controllerutil.AddFinalizer(object, finalizer) {
		return ctrl.Result{}, r.Update(ctx, object)
	}
	text, _, _ := unstructured.NestedString(object.Object, "spec", "text")
	kept := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: request.Namespace, Name: request.Name}}
	done, err := controllerutil.CreateOrPatch(ctx, r.Client, kept, func() error {
		kept.Data = map[string]string{"text": text}
		return controllerutil.SetControllerReference(object, kept, r.Scheme())
	})
	if err != nil {
		return ctrl.Result{}, err
	}
	if done != controllerutil.OperationResultNone {
		r.events.Eventf(object, kept, corev1.EventTypeNormal, "Written", "Write", "the text is %q", text)
	}
	// The status by server-side apply, as its only manager.
	status := widget(request.Name, "")
	delete(status.Object, "spec")
	status.Object["status"] = map[string]any{"text": text, "by": r.name}
	return ctrl.Result{}, r.Status().Apply(ctx, client.ApplyConfigurationFromUnstructured(status), client.FieldOwner("widgets"), client.ForceOwnership)
}

// manage starts a controller that waits until it leads; the function ends it and waits.
func manage(t *testing.T, p *paifang, name string) (ctrl.Manager, func()) {
	t.Helper()
	log.SetLogger(zap.New(zap.WriteTo(testWriter{t})))
	scheme := runtime.NewScheme()
	must(t, clientscheme.AddToScheme(scheme))
	manager, err := ctrl.NewManager(p.config(), ctrl.Options{
		Scheme: scheme, Metrics: metricsserver.Options{BindAddress: "0"}, HealthProbeBindAddress: "0",
		LeaderElection: true, LeaderElectionID: "widgets.demo.example", LeaderElectionNamespace: "default", LeaderElectionReleaseOnCancel: true,
		LeaseDuration: utilptr.To(60 * time.Second), RenewDeadline: utilptr.To(50 * time.Second), RetryPeriod: utilptr.To(time.Second),
		Controller: config.Controller{SkipNameValidation: utilptr.To(true)},
	})
	must(t, err)
	kind := &unstructured.Unstructured{}
	kind.SetGroupVersionKind(widgetKind)
	it := &reconciler{Client: manager.GetClient(), events: manager.GetEventRecorder(name), name: name}
	must(t, ctrl.NewControllerManagedBy(manager).Named("widgets").For(kind).Owns(&corev1.ConfigMap{}).Complete(it))
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- manager.Start(ctx) }()
	stopped := false
	stop := func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		select {
		case err := <-ended:
			if err != nil && !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", name, err)
			}
		case <-time.After(patience):
			t.Errorf("%s does not end", name)
		}
	}
	t.Cleanup(stop)
	return manager, stop
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(octets []byte) (int, error) { return len(octets), nil }

func TestAControllerReconciles(t *testing.T) {
	p := start(t)
	install(t, p)
	first, stop := manage(t, p, "first")
	direct, err := client.New(p.config(), client.Options{Scheme: first.GetScheme()})
	must(t, err)
	ctx := patient(t)
	at := client.ObjectKey{Namespace: "default", Name: "w"}
	textIs := func(wanted string) func() error {
		return func() error {
			kept := &corev1.ConfigMap{}
			if err := direct.Get(ctx, at, kept); err != nil {
				return err
			}
			if kept.Data["text"] != wanted {
				return fmt.Errorf("%v", kept.Data)
			}
			return nil
		}
	}
	statusBy := func(wanted string) func() error {
		return func() error {
			object := widget("w", "")
			if err := direct.Get(ctx, at, object); err != nil {
				return err
			}
			if by, _, _ := unstructured.NestedString(object.Object, "status", "by"); by != wanted {
				return fmt.Errorf("%v", object.Object["status"])
			}
			return nil
		}
	}
	write := func(text string) {
		object := widget("w", "")
		must(t, direct.Get(ctx, at, object))
		old := object.DeepCopy()
		must(t, unstructured.SetNestedField(object.Object, text, "spec", "text"))
		must(t, direct.Patch(ctx, object, client.MergeFrom(old)))
	}

	<-first.Elected()
	must(t, direct.Create(ctx, widget("w", "one")))
	eventually(t, "the ConfigMap is written", textIs("one"))
	eventually(t, "the status is applied", statusBy("first"))
	write("two")
	eventually(t, "a change is followed", textIs("two"))
	must(t, direct.Delete(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "w"}}))
	eventually(t, "what it owns comes back", textIs("two"))
	eventually(t, "an event tells", func() error {
		list := &eventsv1.EventList{}
		if err := direct.List(ctx, list, client.InNamespace("default")); err != nil {
			return err
		}
		for _, event := range list.Items {
			if event.Reason == "Written" && event.Regarding.Name == "w" && event.ReportingController == "first" {
				return nil
			}
		}
		return fmt.Errorf("%d events, none of them it", len(list.Items))
	})
	lease := &coordinationv1.Lease{}
	must(t, direct.Get(ctx, client.ObjectKey{Namespace: "default", Name: "widgets.demo.example"}, lease))
	if lease.Spec.HolderIdentity == nil || *lease.Spec.HolderIdentity == "" {
		t.Fatalf("%v", lease.Spec)
	}

	// A second one waits, and takes over when the first lets go.
	second, _ := manage(t, p, "second")
	select {
	case <-second.Elected():
		t.Fatal("two lead at once")
	case <-time.After(2 * time.Second):
	}
	stop()
	<-second.Elected()
	write("three")
	eventually(t, "the second goes on", textIs("three"))
	eventually(t, "and says so", statusBy("second"))

	// The server ends without a warning and comes back: watches resume, the lease holds.
	p.kill()
	p.start()
	write("four")
	eventually(t, "after a restart too", textIs("four"))

	object := widget("w", "")
	must(t, direct.Delete(ctx, object))
	eventually(t, "it is gone when its finalizer is", func() error {
		if err := direct.Get(ctx, at, object); !apierrors.IsNotFound(err) {
			return fmt.Errorf("%v: %v", err, object.GetFinalizers())
		}
		return nil
	})
	eventually(t, "with what it owned", func() error {
		if err := direct.Get(ctx, at, &corev1.ConfigMap{}); !apierrors.IsNotFound(err) {
			return fmt.Errorf("%v", err)
		}
		return nil
	})
	must(t, direct.Get(ctx, client.ObjectKey{Namespace: "default", Name: "w-was-here"}, &corev1.ConfigMap{}))
}
