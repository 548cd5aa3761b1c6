package conformance

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

// tally counts what an informer tells.
type tally struct {
	sync.Mutex
	added, updated, resynced, deleted map[string]int
}

func newTally() *tally {
	return &tally{added: map[string]int{}, updated: map[string]int{}, resynced: map[string]int{}, deleted: map[string]int{}}
}

func (l *tally) handler() cache.ResourceEventHandler {
	count := func(in map[string]int, object any) {
		if gone, is := object.(cache.DeletedFinalStateUnknown); is {
			object = gone.Obj
		}
		l.Lock()
		defer l.Unlock()
		in[object.(*corev1.ConfigMap).Name]++
	}
	return cache.ResourceEventHandlerFuncs{
		AddFunc: func(object any) { count(l.added, object) },
		UpdateFunc: func(old, new any) {
			if old.(*corev1.ConfigMap).ResourceVersion == new.(*corev1.ConfigMap).ResourceVersion {
				count(l.resynced, new)
			} else {
				count(l.updated, new)
			}
		},
		DeleteFunc: func(object any) { count(l.deleted, object) },
	}
}

func (l *tally) of(counts map[string]int, name string) int {
	l.Lock()
	defer l.Unlock()
	return counts[name]
}

func configMap(name, value string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"of": "informer"}}, Data: map[string]string{"v": value}}
}

func write(t *testing.T, client *kubernetes.Clientset, name, value string) {
	t.Helper()
	maps := client.CoreV1().ConfigMaps("default")
	_, err := maps.Update(patient(t), configMap(name, value), metav1.UpdateOptions{})
	if err != nil {
		_, err = maps.Create(patient(t), configMap(name, value), metav1.CreateOptions{})
	}
	must(t, err)
}

// Shared informers, with a resync, through a restart of the server in between.
func TestInformersFollowThroughARestart(t *testing.T) {
	p := start(t)
	client, told := p.client(), newTally()
	write(t, client, "early", "1")
	factory := informers.NewSharedInformerFactoryWithOptions(client, time.Second, informers.WithNamespace("default"),
		informers.WithTweakListOptions(func(options *metav1.ListOptions) { options.LabelSelector = "of=informer" }))
	informer := factory.Core().V1().ConfigMaps()
	_, err := informer.Informer().AddEventHandler(told.handler())
	must(t, err)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	factory.Start(ctx.Done())
	for _, synced := range factory.WaitForCacheSync(patient(t).Done()) {
		if !synced {
			t.Fatal("the cache was never filled")
		}
	}
	eventually(t, "what was there is told", func() error { return atLeast(told, told.added, "early", 1) })
	write(t, client, "late", "1")
	eventually(t, "what comes is told", func() error { return atLeast(told, told.added, "late", 1) })
	eventually(t, "all is told again now and then", func() error { return atLeast(told, told.resynced, "early", 2) })
	must(t, client.CoreV1().ConfigMaps("default").Delete(patient(t), "early", metav1.DeleteOptions{}))
	eventually(t, "what goes is told", func() error { return atLeast(told, told.deleted, "early", 1) })

	p.kill()
	p.start()
	write(t, client, "late", "2")
	write(t, client, "after", "1")
	eventually(t, "after a restart too", func() error { return atLeast(told, told.added, "after", 1) })
	eventually(t, "and what was there before it", func() error { return atLeast(told, told.updated, "late", 1) })
	if got := told.of(told.added, "late"); got != 1 {
		t.Fatalf("late was added %d times", got)
	}
	cached, err := informer.Lister().ConfigMaps("default").Get("late")
	must(t, err)
	if cached.Data["v"] != "2" {
		t.Fatalf("%v", cached.Data)
	}
}

func atLeast(l *tally, counts map[string]int, name string, wanted int) error {
	if got := l.of(counts, name); got < wanted {
		return fmt.Errorf("%s: %d", name, got)
	}
	return nil
}

// A watch from a revision that is no more is told so with 410, and the informer lists again.
func TestInformersListAgainAfterExpiry(t *testing.T) {
	p := start(t)
	client, told := p.client(), newTally()
	write(t, client, "a", "1")
	var lists, expired atomic.Int32
	plain := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			lists.Add(1)
			return client.CoreV1().ConfigMaps("default").List(ctx, options)
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			// As if it had slept until its revision was forgotten.
			if options.SendInitialEvents == nil && expired.Add(1) == 1 {
				options.ResourceVersion = "999999999"
			}
			return client.CoreV1().ConfigMaps("default").Watch(ctx, options)
		},
	}
	informer := cache.NewSharedIndexInformer(cache.ToListWatcherWithWatchListSemantics(plain, doesNotStream{}), &corev1.ConfigMap{}, 0, cache.Indexers{})
	_, err := informer.AddEventHandler(told.handler())
	must(t, err)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go informer.RunWithContext(ctx)
	eventually(t, "it lists again", func() error {
		if lists.Load() < 2 {
			return fmt.Errorf("%d lists, %d watches", lists.Load(), expired.Load())
		}
		return nil
	})
	write(t, client, "b", "1")
	eventually(t, "and goes on", func() error { return atLeast(told, told.added, "b", 1) })
}

// doesNotStream makes a reflector list first.
type doesNotStream struct{}

func (doesNotStream) IsWatchListSemanticsUnSupported() bool { return true }

// What is there comes as a stream, and a bookmark says where it ends.
func TestAStreamBeginsWithWhatIsThere(t *testing.T) {
	p := start(t)
	client := p.client()
	write(t, client, "a", "1")
	yes := true
	watcher, err := client.CoreV1().ConfigMaps("default").Watch(patient(t), metav1.ListOptions{
		SendInitialEvents: &yes, AllowWatchBookmarks: true, ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan, LabelSelector: "of=informer",
	})
	must(t, err)
	defer watcher.Stop()
	first := <-watcher.ResultChan()
	if first.Type != watch.Added || first.Object.(*corev1.ConfigMap).Name != "a" {
		t.Fatalf("%v", first)
	}
	end := <-watcher.ResultChan()
	mark := end.Object.(*corev1.ConfigMap)
	if end.Type != watch.Bookmark || mark.Annotations[metav1.InitialEventsAnnotationKey] != "true" || mark.ResourceVersion == "" {
		t.Fatalf("%v", end)
	}
}
