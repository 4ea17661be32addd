import type { Product } from "@/lib/products";

export function Products({ products, busy }: { products: Product[]; busy: boolean }) {
  return (
    <section className="products" aria-label="Products" aria-busy={busy}>
      {products.length === 0 && <p className="empty">The products that look like your drawing appear here.</p>}
      {products.map((product) => (
        <figure key={product.id}>
          {/* The service makes thumbnails: there is nothing left for next/image to scale. */}
          <img src={product.picture} alt={`${product.name} ${product.id}`} loading="lazy" width={224} height={224} />
          <figcaption>
            <span className="name">{product.name}</span>
            <span className="price">{product.price}</span>
          </figcaption>
        </figure>
      ))}
    </section>
  );
}
